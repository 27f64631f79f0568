/**
 * What `rcsp watch` does: subscriptions that are kept up through restarts of the driver, and a line for
 * each event.
 *
 * @module
 */

import {
  CommandError,
  ConnectionError,
  type Device,
  type DeviceId,
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
import { sameId } from "../text/values.ts";
import { deviceName, pickDevice } from "./device_argument.ts";
import { EventCommand } from "./event_command.ts";

/** Milliseconds before a subscription is tried again that a restarted driver refused. */
const RETRY = 2_000;
/** Milliseconds between looks for new devices: no public event announces them. */
const POLL = 2_000;

/** One run of `rcsp watch`. */
export class Watch {
  readonly #context: Context;
  readonly #rcsp: RcspClient;
  readonly #topics: readonly EventFilter[];
  readonly #over = new AbortController();
  /** The devices that are watched, each with what ends its subscriptions. */
  readonly #devices = new Map<Device, AbortController>();
  readonly #watchesAll: boolean;
  readonly #command: EventCommand | undefined;
  readonly #tasks: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;
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
    this.#command = command === undefined ? undefined : new EventCommand(context, command);
    this.#watchesAll = !line.on("driver") && line.texts("device").length === 0;
  }

  /** Shows events until it is over; rejects if nothing is left to watch. */
  async run(): Promise<void> {
    const { line, clock, log } = this.#context;
    const events = this.#rcsp.events({
      buffer: line.number("buffer"),
      onOverflow: () => void log("Events come faster than they are written: some are dropped"),
    });
    const end = (): void => void events.unsubscribe();
    this.#over.signal.addEventListener("abort", end);
    const length = line.number("for");
    const timer = length === undefined ? undefined : clock.set(() => this.#over.abort(), length);
    try {
      this.#tasks.push(this.#logStates());
      await this.#subscribeAll();
      let left = line.number("count") ?? Infinity;
      for await (const event of events) {
        await this.#show(event);
        this.shown++;
        if (--left === 0) break;
      }
    } finally {
      clock.clear(timer);
      this.#over.signal.removeEventListener("abort", end);
      this.#over.abort();
      await Promise.allSettled(this.#tasks);
    }
    if (events.dropped > 0) await log(`${events.dropped} events were dropped`);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #subscribeAll(): Promise<void> {
    const { line, log } = this.#context;
    if (line.on("driver")) {
      await Promise.all(this.#topics.map((topic) => this.#begin(topic, "the driver")));
    } else {
      const listed = await this.#listDevices();
      if (this.#over.signal.aborted) return;
      const wanted = line.texts("device");
      const devices = wanted.length === 0 ? listed : wanted.map((id) => pickDevice(listed, id));
      await this.#beginDevices(devices);
    }
    this.#begun = true;
    if (this.#failure !== undefined || this.#over.signal.aborted) return;
    if (this.#watchesAll) this.#tasks.push(this.#pollDevices());
    const topics = this.#topics.map(({ publisher, topic }) => `${publisher}/${topic}`).join(", ");
    const whose = line.on("driver")
      ? "the driver"
      : this.#devices.size === 1
      ? `device ${deviceName([...this.#devices.keys()][0]!)}`
      : `${this.#devices.size} devices`;
    await log(
      this.#watchesAll && this.#devices.size === 0
        ? "No devices are connected yet: waiting for one; Ctrl-C ends"
        : `Watching ${topics} of ${whose}: Ctrl-C ends`,
    );
  }

  /** Gives none where it is over meanwhile. */
  async #listDevices(): Promise<Device[]> {
    const over = this.#over.signal;
    try {
      return await this.#rcsp.listDevices({ signal: over });
    } catch (error) {
      if (over.aborted) return [];
      throw error;
    }
  }

  /** Subscribes on those that are not watched yet. */
  async #beginDevices(devices: readonly Device[]): Promise<void> {
    const answers: Promise<void>[] = [];
    for (const device of devices) {
      const deviceId = device.DeviceId;
      if (this.#deviceOf(deviceId) !== undefined) continue;
      const gone = new AbortController();
      this.#devices.set(device, gone);
      const who = `device ${deviceName(device)}`;
      if (this.#begun) answers.push(this.#context.log(`Device ${deviceName(device)} connected`));
      for (const { publisher, topic } of this.#topics) {
        answers.push(this.#begin({ publisher, topic, deviceId }, who, gone.signal));
      }
    }
    await Promise.all(answers);
  }

  /** Resolves when the server has answered, or it is over. */
  #begin(topic: EventFilter, who: string, gone?: AbortSignal): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#standing++;
    const task = this.#keep(topic, who, answered.resolve, gone).catch(async (error) => {
      this.#standing--;
      // One refusal among several is logged; if nothing is left to watch, it is the end.
      const mayCome = this.#watchesAll && this.#begun;
      if (this.#standing === 0 && !mayCome) this.#fail(withAdvice(error));
      else await this.#logRefusal(topic, who, error);
    }).finally(answered.resolve);
    this.#tasks.push(task);
    return answered.promise;
  }

  async #logRefusal(
    { publisher, topic }: EventFilter,
    who: string,
    error: unknown,
  ): Promise<void> {
    if (this.#over.signal.aborted || this.#context.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    await this.#context.log(`Cannot subscribe to ${publisher}/${topic} on ${who}: ${reason}`);
  }

  /** Subscribes, and again where a driver that has restarted does not know the device yet. */
  async #keep(
    topic: EventFilter,
    who: string,
    onAnswer: () => void,
    gone?: AbortSignal,
  ): Promise<void> {
    const over = gone === undefined
      ? this.#over.signal
      : AbortSignal.any([gone, this.#over.signal]);
    let stood = false;
    let isLogged = false;
    while (!over.aborted) {
      // Shown are all events, each once; this only keeps the subscription.
      const subscription = this.#rcsp.subscribe(topic, { buffer: 1, overflow: "keep-latest" });
      const leave = (): void => void subscription.unsubscribe();
      over.addEventListener("abort", leave);
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
      } finally {
        over.removeEventListener("abort", leave);
      }
    }
  }

  async #logStates(): Promise<void> {
    const { log } = this.#context;
    const statuses = this.#rcsp.statuses();
    const leave = (): void => void statuses.unsubscribe();
    this.#over.signal.addEventListener("abort", leave);
    let before = "ready";
    for await (const status of statuses) {
      const { state } = status;
      if (state === before) continue;
      before = state;
      if (state === "reconnecting") await log(`${status.cause.message}: waiting for the driver`);
      if (state !== "ready") continue;
      await log(`Connected again after ${formatDuration(status.gap)}: events may be missing`);
      this.#tasks.push(this.#lookForDevices());
    }
    this.#over.signal.removeEventListener("abort", leave);
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
    if (!this.#watchesAll || this.#over.signal.aborted) return;
    // What fails here leads to a change of state, which is logged.
    const listed = await this.#listDevices().catch(() => undefined);
    if (listed === undefined || this.#over.signal.aborted) return;
    for (const [device, gone] of this.#devices) {
      if (listed.some(({ DeviceId }) => sameId(DeviceId, device.DeviceId))) continue;
      this.#devices.delete(device);
      gone.abort();
      await this.#context.log(`Device ${deviceName(device)} disconnected`);
    }
    await this.#beginDevices(listed);
  }

  #deviceOf(deviceId: DeviceId): Device | undefined {
    return [...this.#devices.keys()].find(({ DeviceId }) => sameId(DeviceId, deviceId));
  }

  #fail(error: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#failure ??= { error };
    this.#over.abort();
  }

  async #show(event: RcspEvent): Promise<void> {
    const { line, out, io } = this.#context;
    if (this.#command !== undefined) {
      const device = event.deviceId === undefined ? undefined : this.#deviceOf(event.deviceId);
      return await this.#command.run(event, device && words(device["Name"]));
    }
    const time = line.on("timestamps") ? new Date(io.now()).toISOString() : undefined;
    if (line.on("raw")) await out.jsonLine(rawEvent(event, time));
    else if (out.json) await out.jsonLine(eventJson(event, time));
    else await out.text(this.#eventLine(event, time));
  }

  /** Columns that say the same on every line are left out. */
  #eventLine(event: RcspEvent, time: string | undefined): string {
    const { columns } = this.#context.out;
    const { deviceId } = event;
    const devices = [...this.#devices.keys()];
    const isOnly = !this.#watchesAll && devices.length === 1 && deviceId !== undefined &&
      this.#deviceOf(deviceId) !== undefined;
    const hasDevice = !isOnly && (deviceId !== undefined || devices.length > 0);
    const topics = this.#topics.map(({ publisher, topic }) => `${publisher}/${topic}`);
    const topic = `${event.publisher ?? "?"}/${event.topic ?? "?"}`;
    const hasTopic = topics.length > 1 || topics[0] !== topic;
    const cells: [text: string, alike: readonly string[]][] = [];
    if (time !== undefined) cells.push([time, []]);
    if (hasDevice) {
      const device = deviceId === undefined ? undefined : this.#deviceOf(deviceId);
      cells.push([
        device !== undefined ? deviceName(device) : words(deviceId ?? "-"),
        devices.map(deviceName),
      ]);
    }
    if (hasTopic) cells.push([topic, topics]);
    cells.push([findPressType(event.raw) ?? words(event.data ?? event.raw), []]);
    return alignCells(cells, columns);
  }
}

/** A refused subscription may be no fault of the device: keys of these commands are assumptions. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const advice = "'rcsp doctor --learn' finds out how this driver takes subscriptions";
  return new Failure(`${error.message}: ${advice}`, EXIT.refused, { cause: error });
}

/** Whether subscribing once more may help: a refusal, or connections that end in turn. */
function isPassing(error: unknown): boolean {
  return error instanceof CommandError || error instanceof ConnectionError;
}
