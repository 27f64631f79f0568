/**
 * What `rcsp watch` does: subscriptions that are kept up through restarts of the driver, and a line for
 * each event.
 *
 * @module
 */

import {
  type ClientStatus,
  CommandError,
  ConnectionError,
  type Device,
  type EventFilter,
  type RcspClient,
  type RcspEvent,
} from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import { EXIT, Failure } from "../exit_codes.ts";
import { alignCells, eventJson, rawEvent } from "../terminal/event_line.ts";
import { words } from "../terminal/output.ts";
import { deviceName, pickDevice } from "./device_argument.ts";
import { type EventCommand, eventCommand } from "./event_command.ts";

/** Milliseconds before a subscription is tried again that a restarted driver refused. */
const RETRY = 2_000;
/** Milliseconds between looks for new devices: no public event announces them. */
const POLL = 2_000;

/** The reason of an end that is not a failure. */
const ENDED = Symbol("ended");

/** A device that is watched. */
interface Watched {
  readonly device: Device;
  /** Ends its subscriptions. */
  readonly gone: AbortController;
}

/** One run of `rcsp watch`. */
export class Watch {
  readonly #context: Context;
  readonly #rcsp: RcspClient;
  readonly #topics: readonly EventFilter[];
  /** Ends everything; its reason is `ENDED` or what failed. */
  readonly #over = new AbortController();
  /** By the device id as JSON. */
  readonly #devices = new Map<string, Watched>();
  readonly #watchesAll: boolean;
  readonly #command: EventCommand | undefined;
  readonly #tasks: Promise<void>[] = [];
  #state: ClientStatus["state"] = "ready";
  #standing = 0;
  #begun = false;
  /** How many events were shown. */
  shown = 0;

  /** Makes a run of what the command line of `context` says. */
  constructor(context: Context, rcsp: RcspClient, topics: readonly EventFilter[]) {
    this.#context = context;
    this.#rcsp = rcsp;
    this.#topics = topics;
    const { line } = context;
    const command = line.text("exec");
    this.#command = command === undefined ? undefined : eventCommand(context, command);
    this.#watchesAll = !line.on("driver") && line.texts("device").length === 0;
  }

  /** Shows events until it is over; rejects if nothing is left to watch. */
  async run(): Promise<void> {
    const { line, clock, log } = this.#context;
    const events = this.#rcsp.events({
      buffer: line.number("buffer"),
      onOverflow: () => void log("Events come faster than they are written: some are dropped"),
      signal: this.#over.signal,
    });
    const stop = this.#rcsp.on("status", (status) => this.#onStatus(status));
    const length = line.number("for");
    const timer = length && clock.set(() => this.#over.abort(ENDED), length);
    try {
      await this.#subscribeAll();
      let left = line.number("count") ?? Infinity;
      for await (const event of events) {
        await this.#show(event);
        this.shown++;
        if (--left === 0) break;
      }
    } catch (error) {
      if (error !== ENDED) throw error;
    } finally {
      clock.clear(timer);
      stop();
      this.#over.abort(ENDED);
      await Promise.allSettled(this.#tasks);
    }
    if (events.dropped > 0) await log(`${events.dropped} events were dropped`);
  }

  async #subscribeAll(): Promise<void> {
    const { line, log } = this.#context;
    const { signal } = this.#over;
    let whose = "the driver";
    if (line.on("driver")) {
      await Promise.all(this.#topics.map((topic) => this.#begin(topic, whose, signal)));
    } else {
      const listed = await this.#rcsp.listDevices({ signal });
      const wanted = line.texts("device");
      const devices = wanted.length === 0 ? listed : wanted.map((id) => pickDevice(listed, id));
      await this.#beginDevices(devices);
      const [only, ...others] = this.#devices.values();
      whose = only !== undefined && others.length === 0
        ? `device ${deviceName(only.device)}`
        : `${this.#devices.size} devices`;
    }
    signal.throwIfAborted();
    this.#begun = true;
    if (this.#watchesAll) this.#tasks.push(this.#pollDevices());
    const topics = this.#topics.map(({ publisher, topic }) => `${publisher}/${topic}`).join(", ");
    await log(
      this.#watchesAll && this.#devices.size === 0
        ? "No devices are connected yet: waiting for one; Ctrl-C ends"
        : `Watching ${topics} of ${whose}: Ctrl-C ends`,
    );
  }

  /** Subscribes on those that are not watched yet. */
  async #beginDevices(devices: readonly Device[]): Promise<void> {
    const answers: Promise<void>[] = [];
    for (const device of devices) {
      const deviceId = device.DeviceId;
      const key = JSON.stringify(deviceId);
      if (this.#devices.has(key)) continue;
      const gone = new AbortController();
      this.#devices.set(key, { device, gone });
      const who = `device ${deviceName(device)}`;
      if (this.#begun) answers.push(this.#context.log(`Device ${deviceName(device)} connected`));
      const over = AbortSignal.any([gone.signal, this.#over.signal]);
      for (const { publisher, topic } of this.#topics) {
        answers.push(this.#begin({ publisher, topic, deviceId }, who, over));
      }
    }
    await Promise.all(answers);
  }

  /** Resolves when the server has answered, or it is over. */
  #begin(topic: EventFilter, who: string, over: AbortSignal): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#standing++;
    const task = this.#keep(topic, who, answered.resolve, over).catch(async (error) => {
      this.#standing--;
      // One refusal among several is logged; if nothing is left to watch, it is the end.
      const mayCome = this.#watchesAll && this.#begun;
      if (this.#standing === 0 && !mayCome) this.#over.abort(withAdvice(error));
      else await this.#logRefusal(topic, who, error);
    }).finally(answered.resolve);
    this.#tasks.push(task);
    return answered.promise;
  }

  async #logRefusal({ publisher, topic }: EventFilter, who: string, error: Error): Promise<void> {
    if (this.#over.signal.aborted || this.#context.signal.aborted) return;
    await this.#context.log(
      `Cannot subscribe to ${publisher}/${topic} on ${who}: ${error.message}`,
    );
  }

  /** Subscribes, and again where a driver that has restarted does not know the device yet. */
  async #keep(
    topic: EventFilter,
    who: string,
    onAnswer: () => void,
    over: AbortSignal,
  ): Promise<void> {
    let stood = false;
    let isLogged = false;
    while (!over.aborted) {
      // Shown are all events, each once; this only keeps the subscription.
      const subscription = this.#rcsp.subscribe(topic, {
        buffer: 1,
        overflow: "keep-latest",
        signal: over,
      });
      try {
        await subscription.ready;
        if (isLogged) await this.#context.log(`Subscribed again on ${who}`);
        [stood, isLogged] = [true, false];
        onAnswer();
        for await (const _ of subscription);
        return;
      } catch (error) {
        if (over.aborted) return;
        if (!stood || !isPassing(error)) throw error;
        if (!isLogged) await this.#logRefusal(topic, who, error);
        isLogged = true;
        await this.#context.pause(RETRY, over);
      }
    }
  }

  #onStatus(status: ClientStatus): void {
    const { log } = this.#context;
    const { state } = status;
    if (state === this.#state) return;
    this.#state = state;
    if (state === "reconnecting") void log(`${status.cause.message}: waiting for the driver`);
    if (state !== "ready") return;
    void log(`Connected again after ${formatDuration(status.gap)}: events may be missing`);
    if (this.#watchesAll && this.#begun) this.#tasks.push(this.#lookForDevices());
  }

  async #pollDevices(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#context.pause(POLL, signal);
      await this.#lookForDevices();
    }
  }

  /** Watches devices that have come, and leaves those that have gone. */
  async #lookForDevices(): Promise<void> {
    const { signal } = this.#over;
    // What fails here leads to a change of state, which is logged.
    const listed = await this.#rcsp.listDevices({ signal }).catch(() => undefined);
    if (listed === undefined || signal.aborted) return;
    const present = new Set(listed.map(({ DeviceId }) => JSON.stringify(DeviceId)));
    for (const [key, { device, gone }] of this.#devices) {
      if (present.has(key)) continue;
      this.#devices.delete(key);
      gone.abort();
      await this.#context.log(`Device ${deviceName(device)} disconnected`);
    }
    await this.#beginDevices(listed);
  }

  #deviceOf({ deviceId }: RcspEvent): Device | undefined {
    return this.#devices.get(JSON.stringify(deviceId))?.device;
  }

  async #show(event: RcspEvent): Promise<void> {
    const { line, out, io } = this.#context;
    const device = this.#deviceOf(event);
    if (this.#command !== undefined) {
      return await this.#command(event, device && words(device["Name"]));
    }
    const time = line.on("timestamps") ? new Date(io.now()).toISOString() : undefined;
    if (line.on("raw")) await out.jsonLine(rawEvent(event, time));
    else if (out.json) await out.jsonLine(eventJson(event, time));
    else await out.text(this.#eventLine(event, device, time));
  }

  /** Columns that say the same on every line are left out. */
  #eventLine(event: RcspEvent, device: Device | undefined, time: string | undefined): string {
    const names = Array.from(this.#devices.values(), ({ device }) => deviceName(device));
    const topics = this.#topics.map(({ publisher, topic }) => `${publisher}/${topic}`);
    const topic = `${event.publisher ?? "?"}/${event.topic ?? "?"}`;
    const isOnly = !this.#watchesAll && names.length === 1 && device !== undefined;
    const cells: [text: string, alike: readonly string[]][] = [];
    if (time !== undefined) cells.push([time, []]);
    if (!isOnly && (event.deviceId !== undefined || names.length > 0)) {
      cells.push([device ? deviceName(device) : words(event.deviceId ?? "-"), names]);
    }
    if (topics.length > 1 || topics[0] !== topic) cells.push([topic, topics]);
    cells.push([findPressType(event.raw) ?? words(event.data ?? event.raw), []]);
    return alignCells(cells, this.#context.out.columns);
  }
}

/** A refused subscription may be no fault of the device: keys of these commands are assumptions. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const advice = "'rcsp doctor --learn' finds out how this driver takes subscriptions";
  return new Failure(`${error.message}: ${advice}`, EXIT.refused, { cause: error });
}

/** Whether subscribing once more may help: a refusal, or connections that end in turn. */
function isPassing(error: unknown): error is Error {
  return error instanceof CommandError || error instanceof ConnectionError;
}
