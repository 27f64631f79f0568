/**
 * Asks a driver, by harmless commands only, how it differs from what is assumed.
 *
 * @module
 */

import {
  ConnectionError,
  type ConnectOptions,
  type Device,
  type JsonObject,
  RcspError,
} from "@rcsp/rcsp";
import { findPressType, readPath } from "@rcsp/rcsp/server";
import type { Context, Driver } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import { deviceName } from "../driver/device_argument.ts";
import { frameLog } from "../driver/session.ts";
import type { Report } from "../terminal/finding_report.ts";
import { describeValue, isObject, plural } from "../text/values.ts";
import { DialectDraft, NOWHERE } from "./draft.ts";
import { learnEvent, sayPath } from "./event_fields.ts";
import { reasonOf } from "./identify_port.ts";
import { openRawSession, type RawAnswer, type RawSession } from "./raw_connection.ts";
import {
  type Ask,
  type Keys,
  messageOf,
  subscribeArguments,
  tryKeys,
} from "./subscription_keys.ts";
import { choosePath, describeKeys, findPaths } from "./value_paths.ts";

/** No driver has a command of this name. */
export const NO_SUCH_COMMAND = "RcspNoSuchCommand";
/** A `TrackId` that nothing else in an answer is likely to equal. */
const FIRST_TRACK_ID = 7_310_000_001;

/**
 * Learns; waits `wait` milliseconds for a press, if not 0. Returns the dialect as far as it is known, and
 * what made it stop early.
 */
export async function learn(
  context: Context,
  report: Report,
  server: Driver,
  wait: number,
): Promise<{ draft: DialectDraft; error?: RcspError }> {
  const learner = new Learner(context, report, server);
  try {
    await learner.run(wait);
    return learner;
  } catch (error) {
    if (context.signal.aborted || !(error instanceof RcspError)) throw error;
    await report.add("fail", "answers", await reasonOf(context, server, error));
    return { draft: learner.draft, error };
  } finally {
    await learner.close();
  }
}

class Learner {
  readonly draft: DialectDraft;
  readonly #context: Context;
  readonly #report: Report;
  readonly #server: Driver;
  readonly #onFrame: ConnectOptions["onFrame"];
  #session: RawSession | undefined;
  #trackId = FIRST_TRACK_ID;

  constructor(context: Context, report: Report, server: Driver) {
    this.#context = context;
    this.#report = report;
    this.#server = server;
    this.draft = new DialectDraft(server.dialect);
    this.#onFrame = frameLog(context);
  }

  async run(wait: number): Promise<void> {
    const session = await this.#open();
    const listed = await session.ask("ListDevices");
    const device = await this.#learnDevices(listed);
    const answers = [listed];
    if (device !== undefined) answers.push(await this.#learnInfo(session, device));
    await this.#orFail("errors", async () => {
      // Nobody knows whether a driver ends a connection because of it.
      answers.push(await this.#learnError(await this.#open()));
    });
    await this.#learnTrackId(answers);
    const check = "subscriptions";
    if (device === undefined) {
      return await this.#report.add("warn", check, "nothing to try them on: no device");
    }
    await this.#orFail(check, () => this.#learnSubscription(device, wait));
  }

  async close(): Promise<void> {
    await this.#session?.close();
  }

  /** Begins anew. */
  async #open(): Promise<RawSession> {
    await this.close();
    const { clock, signal } = this.#context;
    const trackId = this.#trackId += 1_000_000;
    const options = { clock, signal, trackId, onFrame: this.#onFrame };
    return this.#session = await openRawSession(this.#server, options);
  }

  /** What goes wrong is a finding, and no reason to forget what was learned before. */
  async #orFail(check: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#context.signal.aborted || !(error instanceof RcspError)) throw error;
      await this.#report.add("fail", check, error.message);
    }
  }

  /** As `ask()` of the session; that the driver ends the connection counts as a refusal. */
  async #askAnyway(name: string, args: JsonObject): Promise<RawAnswer> {
    try {
      return await this.#session!.ask(name, args);
    } catch (error) {
      if (!(error instanceof ConnectionError) || this.#context.signal.aborted) throw error;
      await this.#open();
      return { ok: false, body: { Error: { Message: error.message } }, trackId: "" };
    }
  }

  async #learnDevices(answer: RawAnswer): Promise<Device | undefined> {
    const check = "ListDevices";
    try {
      const devices = readDevices(answer);
      const [device] = devices;
      const [mark, finding] = device === undefined ? ["warn", "no device is connected"] as const : [
        "ok",
        `${plural(devices.length, "device")}, with the fields ${describeKeys(device)}`,
      ] as const;
      await this.#report.add(mark, check, finding);
      return device;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await this.#report.add("fail", check, error.message);
      return undefined;
    }
  }

  async #learnInfo(session: RawSession, device: Device): Promise<RawAnswer> {
    const answer = await session.ask("GetDeviceInfo", { DeviceId: device.DeviceId });
    const response = answer.body["Response"];
    const [mark, finding] = !answer.ok
      ? ["fail", `refused: ${messageOf(answer)}`] as const
      : isObject(response)
      ? ["ok", `the fields ${describeKeys(response)}`] as const
      : ["warn", `'Response' is ${describeValue(response)}, an object was expected`] as const;
    await this.#report.add(mark, "GetDeviceInfo", finding);
    return answer;
  }

  async #learnError(session: RawSession): Promise<RawAnswer> {
    const answer = await session.ask(NO_SUCH_COMMAND);
    const error = answer.body["Error"];
    const check = "errors";
    if (answer.ok || !isObject(error)) {
      const finding = answer.ok
        ? "a command that does not exist was answered with ok"
        : `'Error' is ${describeValue(error)}, an object was expected`;
      await this.#report.add("warn", check, finding);
      return answer;
    }
    const { Code, Message, ...others } = error;
    const more = Object.keys(others).length > 0 ? `; besides ${describeKeys(others)}` : "";
    const finding = `'Code' is ${describeValue(Code)}, 'Message' is ${describeValue(Message)}`;
    const { unknownCommand } = this.draft.dialect.errorCodes;
    if (typeof Code === "string" && Code !== "" && Code !== unknownCommand) {
      this.draft.set("errorCodes.unknownCommand", Code);
    }
    await this.#report.add("ok", check, `${finding}${more}`, { code: Code ?? null });
    return answer;
  }

  async #learnTrackId(answers: readonly RawAnswer[]): Promise<void> {
    const check = "TrackId";
    const assumed = this.draft.dialect.trackId;
    const paths = answers.map(({ body, trackId }) =>
      choosePath(findPaths(body, (value) => value === trackId), assumed, /track/i)
    );
    const path = paths.find((path) => path !== undefined);
    if (path !== undefined) {
      if (path !== assumed) this.draft.set("trackId", path);
      await sayPath(this.#report, check, path, assumed);
      const others = paths.filter((other) => other !== path).length;
      if (others > 0) {
        await this.#report.add("warn", check, `${others} of ${answers.length} answers lack it`);
      }
      return;
    }
    // Any value in the assumed place would be taken for a TrackId.
    const misleading = answers.some(({ body }) => (readPath(body, assumed) ?? null) !== null);
    if (misleading) this.draft.set("trackId", NOWHERE);
    await this.#report.add(
      "warn",
      check,
      "not echoed as it was sent: answers are told apart by their order alone",
    );
  }

  async #learnSubscription(device: Device, wait: number): Promise<void> {
    const { DeviceId } = device;
    const ask: Ask = (name, args) => this.#askAnyway(name, args);
    const trial = await tryKeys(ask, this.draft.dialect, DeviceId);
    const check = "subscribe keys";
    for (const message of trial.messages) {
      await this.#report.add("info", "refusal", message);
    }
    if (trial.accepted === undefined) {
      return await this.#report.add(
        "fail",
        check,
        `none of ${trial.refused} combinations was accepted: --dialect says which names to try first`,
      );
    }
    if (trial.lenient) {
      await this.#report.add("warn", check, "anything is accepted: --dialect says other names");
    }
    const taken = trial.unsubscribed?.ok
      ? ["ok", "accepted with the same keys"] as const
      : ["warn", "refused with the keys that DeviceSubscribe accepts"] as const;
    await this.#report.add(taken[0], "DeviceUnsubscribe", taken[1]);
    await this.#settleKeys(trial.accepted);
    const event = await this.#waitForEvent(device, trial.accepted, wait);
    if (event !== undefined) await learnEvent(this.#report, this.draft, event, device);
  }

  async #settleKeys(keys: Keys): Promise<void> {
    const { subscription: assumed } = this.draft.dialect;
    for (const key of ["publisher", "topic", "deviceId"] as const) {
      if (keys[key] !== assumed[key]) this.draft.set(`subscription.${key}`, keys[key]);
      await sayPath(this.#report, `subscribe key of the ${key}`, keys[key], assumed[key]);
    }
  }

  async #waitForEvent(device: Device, keys: Keys, wait: number): Promise<JsonObject | undefined> {
    const { signal } = this.#context;
    if (wait === 0) {
      await this.#report.add("info", "events", "not waited for: --for 15s does");
      return undefined;
    }
    await this.#context.log(
      `Press the button of device ${deviceName(device)} now: waiting ${formatDuration(wait)}`,
    );
    const session = await this.#open();
    const pressed = new AbortController();
    session.onEvent = (event) => {
      if (findPressType(event) !== undefined) pressed.abort();
    };
    const { commands } = this.draft.dialect;
    const args = subscribeArguments(this.draft.dialect, keys, device.DeviceId);
    await session.ask(commands.deviceSubscribe, args);
    await this.#context.pause(wait, AbortSignal.any([signal, pressed.signal]));
    if (signal.aborted) return undefined;
    await session.ask(commands.deviceUnsubscribe, args);
    const { events } = session;
    const event = events.find((event) => findPressType(event) !== undefined) ?? events[0];
    if (event === undefined) await this.#report.add("warn", "events", "none came");
    else await this.#report.add("info", "event", JSON.stringify(event), { event });
    return event;
  }
}

/**
 * The devices in the answer to `ListDevices`.
 *
 * @throws {TypeError} If it holds none.
 */
function readDevices(answer: RawAnswer): Device[] {
  if (!answer.ok) throw new TypeError(`refused: ${messageOf(answer)}`);
  const response = answer.body["Response"] ?? {};
  if (!isObject(response)) throw new TypeError(`'Response' is ${describeValue(response)}`);
  const devices = response["Devices"] ?? [];
  if (!Array.isArray(devices)) {
    throw new TypeError(`'Response.Devices' is ${describeValue(devices)}, not an array`);
  }
  for (const device of devices) {
    if (isObject(device) && (device["DeviceId"] ?? undefined) !== undefined) continue;
    throw new TypeError(`'Response.Devices' holds ${describeValue(device)} without 'DeviceId'`);
  }
  return devices as unknown as Device[];
}
