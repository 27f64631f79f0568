/**
 * What may come in from the broker: colors and calls, if they are allowed.
 *
 * @module
 */

import {
  type ColorLed,
  CommandError,
  type JsonObject,
  type JsonValue,
  LIMITS,
  RcspError,
} from "@rcsp/rcsp";
import { parseBody } from "@rcsp/rcsp/server";
import type { ISubscriptionMap } from "mqtt";
import { checkNumbers } from "../driver/call_arguments.ts";
import { LedSetter } from "../driver/led_setter.ts";
import { safeJson } from "../terminal/output.ts";
import { plural, quote } from "../text/values.ts";
import type { BrokerMessage } from "./broker_connection.ts";
import type { DriverBridge, Site } from "./driver_bridge.ts";
import { readLed } from "./led_payload.ts";

/** The command behind `led/set`. */
export const LED_COMMAND = "SetColorLed";
/** Longest arguments of a call, in bytes. */
const LONGEST_ARGUMENTS = 64 * 1024;
/** Most calls at a time. */
const MOST_CALLS = 32;
const WHITE: ColorLed = { Red: 255, Green: 255, Blue: 255 };

/** What may come in, and to whom it goes. */
export interface RemoteOptions {
  readonly site: Site;
  readonly allowed: ReadonlySet<string>;
  readonly bridges: readonly DriverBridge[];
  readonly signal: AbortSignal;
  /** Bounded, as anybody can make it talk. */
  readonly log: (text: string) => void;
}

/** Carries out what the broker brings. */
export class RemoteCommands {
  readonly #options: RemoteOptions;
  readonly #setter: LedSetter;
  /** The last color of each device that is not black, by the level of the topic. */
  readonly #lastColors = new Map<string, ColorLed>();
  #calls = 0;

  constructor(options: RemoteOptions) {
    const { signal, log } = this.#options = options;
    this.#setter = new LedSetter(
      signal,
      (level, color) => {
        const bridge = this.#bridgeOf(level);
        const device = bridge?.find(level);
        return device && bridge?.rcsp.setColorLed(device, color, { signal });
      },
      (level, error) => log(`Device ${quote(level)}: ${error.message}`),
    );
  }

  /** Handles a message on `led/set` or `call/COMMAND`. */
  onMessage(message: BrokerMessage): void {
    const { topic, retain } = message;
    const { topics } = this.#options.site;
    if (retain) {
      return this.#options.log(
        `Ignored a retained message on ${quote(topic)}: it would come again at every reconnect`,
      );
    }
    const call = `${topics.base}/call/`;
    if (topic.startsWith(call)) return void this.#onCall(topic.slice(call.length), message);
    // A broker may send what nobody has subscribed to.
    if (this.#options.allowed.has(LED_COMMAND)) this.#onLed(topics.deviceOf(topic), message);
  }

  #onLed(level: string, { payload }: BrokerMessage): void {
    if (this.#bridgeOf(level) === undefined) {
      return this.#options.log(`No device ${quote(level)} for its 'led/set'`);
    }
    try {
      const color = readLed(payload, this.#lastColors.get(level) ?? WHITE);
      if (color.Red + color.Green + color.Blue > 0) this.#lastColors.set(level, color);
      this.#setter.set(level, color);
    } catch (error) {
      this.#options.log(`Invalid 'led/set' of device ${quote(level)}: ${(error as Error).message}`);
    }
  }

  #bridgeOf(level: string): DriverBridge | undefined {
    return this.#options.bridges.find((bridge) => bridge.find(level) !== undefined);
  }

  async #onCall(name: string, message: BrokerMessage): Promise<void> {
    const respond = (body: JsonObject): void => {
      const { responseTopic = "", correlationData } = message.properties ?? {};
      if (responseTopic === "" || /[+#\0]|^\$/.test(responseTopic)) return;
      // Who may only call must not reach, through us, the topics that we and our readers trust.
      if (responseTopic.startsWith(`${this.#options.site.topics.base}/`)) {
        return this.#options.log(
          `No response on ${quote(responseTopic)}: it is one of this site's topics`,
        );
      }
      this.#options.site.broker.respond(responseTopic, safeJson(body), correlationData);
    };
    const refuse = (Code: JsonValue, Message: string): void => {
      this.#options.log(`Call of ${quote(name)}: ${Message}`);
      respond({ Error: { Code, Message } });
    };
    if (!this.#options.allowed.has(name)) return refuse("NotAllowed", "not allowed: see --allow");
    if (this.#calls >= MOST_CALLS) {
      return refuse("Busy", `${plural(MOST_CALLS, "call")} are pending`);
    }
    this.#calls++;
    try {
      const bridge = this.#driverOf(message);
      const args = readArguments(message.payload);
      respond({ Response: await bridge.rcsp.call(name, args, { signal: this.#options.signal }) });
    } catch (error) {
      if (this.#options.signal.aborted) return;
      const { message } = error as Error;
      if (error instanceof CommandError) {
        return refuse((error.errorCode ?? null) as JsonValue, error.errorMessage ?? message);
      }
      refuse(error instanceof RcspError ? error.code : "BadArguments", message);
    } finally {
      this.#calls--;
    }
  }

  #driverOf(message: BrokerMessage): DriverBridge {
    const { userProperties = {} } = message.properties ?? {};
    const given = Object.hasOwn(userProperties, "driver") ? userProperties["driver"] : undefined;
    const wanted = Array.isArray(given) ? given[0] : given;
    const [only, ...others] = this.#options.bridges;
    if (wanted === undefined && only !== undefined && others.length === 0) return only;
    const bridge = this.#options.bridges.find(({ name }) => name !== undefined && name === wanted);
    if (bridge !== undefined) return bridge;
    const names = this.#options.bridges.map(({ name }) => name).join(", ");
    throw new TypeError(`the user property 'driver' must be one of ${names || "none"}`);
  }
}

/** The filters to subscribe to. */
export function commandFilters(
  { anyLed, anyCall }: { readonly anyLed: string; readonly anyCall: string },
  allowed: ReadonlySet<string>,
): ISubscriptionMap {
  // Not what the broker has kept: old commands.
  const options = { qos: 1, rh: 2 } as const;
  return {
    ...(allowed.size > 0 && { [anyCall]: options }),
    ...(allowed.has(LED_COMMAND) && { [anyLed]: options }),
  };
}

/** @throws {TypeError} If they are not a JSON object, or hold a number that is not exact. */
function readArguments(payload: Uint8Array): JsonObject | undefined {
  if (payload.length === 0) return undefined;
  if (payload.length > LONGEST_ARGUMENTS) {
    throw new TypeError(`the arguments have ${payload.length} bytes: at most ${LONGEST_ARGUMENTS}`);
  }
  let args: JsonObject;
  try {
    args = parseBody(payload, LIMITS.maxDepth);
  } catch {
    throw new TypeError("the payload must be one JSON object with the arguments");
  }
  checkNumbers(args);
  return args;
}
