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
import { checkNumbers } from "../driver/call_arguments.ts";
import { safeJson } from "../terminal/output.ts";
import { plural, quote } from "../text/values.ts";
import type { BrokerMessage, TopicFilter } from "./broker_connection.ts";
import type { DriverBridge, Site } from "./driver_bridge.ts";
import { readLed } from "./led_payload.ts";

/** The command behind `led/set`. */
export const LED_COMMAND = "SetColorLed";
/** Longest arguments of a call, in bytes. */
const LONGEST_ARGUMENTS = 64 * 1024;
/** Most calls at a time. */
const MOST_CALLS = 32;
const WHITE: ColorLed = { Red: 255, Green: 255, Blue: 255 };

interface Led {
  /** The newest color that waits for the one that is being set. */
  next: ColorLed | undefined;
  isBusy: boolean;
  /** The last color that is not black. */
  last: ColorLed;
}

/** Carries out what the broker brings. */
export class RemoteCommands {
  readonly #site: Site;
  readonly #allowed: ReadonlySet<string>;
  readonly #bridges: readonly DriverBridge[];
  readonly #log: (text: string) => void;
  readonly #signal: AbortSignal;
  /** By the level of the topic. */
  readonly #leds = new Map<string, Led>();
  #calls = 0;

  constructor(options: {
    site: Site;
    allowed: ReadonlySet<string>;
    bridges: readonly DriverBridge[];
    signal: AbortSignal;
    /** Bounded, as anybody can make it talk. */
    log: (text: string) => void;
  }) {
    this.#site = options.site;
    this.#allowed = options.allowed;
    this.#bridges = options.bridges;
    this.#signal = options.signal;
    this.#log = options.log;
  }

  /** Handles a message on `led/set` or `call/COMMAND`. */
  onMessage(message: BrokerMessage): void {
    const { topic, isRetained } = message;
    const { topics } = this.#site;
    if (isRetained) {
      return this.#log(
        `Ignored a retained message on ${quote(topic)}: it would come again at every reconnect`,
      );
    }
    const call = `${topics.base}/call/`;
    if (topic.startsWith(call)) return void this.#onCall(topic.slice(call.length), message);
    // A broker may send what nobody has subscribed to.
    if (this.#allowed.has(LED_COMMAND)) this.#onLed(topics.deviceOf(topic), message);
  }

  #onLed(level: string, { payload }: BrokerMessage): void {
    const bridge = this.#bridges.find((bridge) => bridge.find(level) !== undefined);
    if (bridge === undefined) return this.#log(`No device ${quote(level)} for its 'led/set'`);
    const led = this.#leds.get(level) ?? { next: undefined, isBusy: false, last: WHITE };
    this.#leds.set(level, led);
    try {
      led.next = readLed(payload, led.last);
    } catch (error) {
      return this.#log(`Invalid 'led/set' of device ${quote(level)}: ${(error as Error).message}`);
    }
    if (led.next.Red + led.next.Green + led.next.Blue > 0) led.last = led.next;
    if (!led.isBusy) void this.#setColors(bridge, level, led);
  }

  /** Sets the newest color, until there is none that waits. */
  async #setColors(bridge: DriverBridge, level: string, led: Led): Promise<void> {
    led.isBusy = true;
    for (let color = led.next; color !== undefined; color = led.next) {
      led.next = undefined;
      const device = bridge.find(level);
      if (device === undefined) break;
      try {
        await bridge.rcsp.setColorLed(device, color, { signal: this.#signal });
      } catch (error) {
        if (!this.#signal.aborted) {
          this.#log(`Device ${quote(level)}: ${(error as Error).message}`);
        }
      }
    }
    led.isBusy = false;
  }

  async #onCall(name: string, message: BrokerMessage): Promise<void> {
    const respond = (body: JsonObject): void => {
      const { responseTopic = "", correlationData } = message;
      if (responseTopic === "" || /[+#\0]|^\$/.test(responseTopic)) return;
      this.#site.broker.respond(responseTopic, safeJson(body), correlationData);
    };
    const refuse = (Code: JsonValue, Message: string): void => {
      this.#log(`Call of ${quote(name)}: ${Message}`);
      respond({ Error: { Code, Message } });
    };
    if (!this.#allowed.has(name)) return refuse("NotAllowed", "not allowed: see --allow");
    if (this.#calls >= MOST_CALLS) {
      return refuse("Busy", `${plural(MOST_CALLS, "call")} are pending`);
    }
    this.#calls++;
    try {
      const bridge = this.#driverOf(message);
      const args = readArguments(message.payload);
      respond({ Response: await bridge.rcsp.call(name, args, { signal: this.#signal }) });
    } catch (error) {
      if (this.#signal.aborted) return;
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
    const wanted = message.property("driver");
    const [only, ...others] = this.#bridges;
    if (wanted === undefined && only !== undefined && others.length === 0) return only;
    const bridge = this.#bridges.find(({ name }) => name !== undefined && name === wanted);
    if (bridge !== undefined) return bridge;
    const names = this.#bridges.map(({ name }) => name).join(", ");
    throw new TypeError(`the user property 'driver' must be one of ${names || "none"}`);
  }
}

/** The filters to subscribe to. */
export function commandFilters(
  { anyLed, anyCall }: { readonly anyLed: string; readonly anyCall: string },
  allowed: ReadonlySet<string>,
): TopicFilter[] {
  const filters = allowed.size === 0 ? [] : [{ filter: anyCall, retained: false }];
  return allowed.has(LED_COMMAND) ? [...filters, { filter: anyLed, retained: false }] : filters;
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
