/**
 * The simulator.
 *
 * @module
 */

import type { Command, DeviceId } from "../message/command.ts";
import { type EventFilter, filterKey, PRESS_TYPES, type PressType } from "../message/event.ts";
import { describeValue } from "../message/json.ts";
import { quote } from "../escape.ts";
import type { HandlerResult } from "../server/command_context.ts";
import { refusal } from "../server/refusal.ts";
import { RcspServer, type ServerOptions, type ServerTestHooks } from "../server/server.ts";
import type { Address, Listen, ListenOptions, Socket } from "../socket/socket.ts";
import { CLOCK, type Clock, LONGEST_TIMER, sleep } from "../timers.ts";
import { callUserCallback, show } from "../user_callback.ts";
import { DeviceTable } from "./device_table.ts";
import { checkDevice, defaultDevices, type SimulatedDevice, toJson } from "./devices.ts";
import { type Faults, withFaults } from "./faults.ts";
import {
  type MotionListenOptions,
  MotionSimulation,
  type MotionSimulationOptions,
  type SimulatedMotion,
} from "./motion.ts";
import { randomInteger, randomItem, seededRandom } from "./random.ts";

/** Options of a simulator, and of its server. */
export interface SimulatorOptions extends Omit<ServerOptions, "onSubscribe"> {
  /** Topics besides the button's, for `simulator.server.publish()`. Default: none. */
  topics?: readonly Pick<EventFilter, "publisher" | "topic">[] | undefined;
  /** Initial devices. Default: two Smartgloves, a Smartsuit Pro and a Coil Pro. */
  devices?: readonly SimulatedDevice[] | undefined;
  /** Seed of devices, presses, latencies and garbage: the same seed repeats them. Default: 1. */
  seed?: number | undefined;
  /** Milliseconds per command, or a range. Default: 0. */
  latency?: number | readonly [least: number, most: number] | undefined;
  /** Interval of random presses of random buttons, in milliseconds. Default: none. */
  pressEvery?: number | undefined;
  /** Faults to inject. Default: none. */
  faults?: Faults | undefined;
  /**
   * Adds the motion stream: a moving hand for each device whose `info.Side` is `Left` or `Right`; see
   * `serveMotion()`. Default: `false`.
   */
  motion?: boolean | MotionSimulationOptions | undefined;
}

/** A simulator is an async disposable: `await using` closes it. */
// Some .d.ts generators omit members whose names are symbols.
export interface Simulator extends AsyncDisposable {}

/**
 * A driver without hardware. Implements `ListDevices`, `GetDeviceInfo`, `SetColorLed` and the four
 * subscription commands. Responses beyond the confirmed facts are invented: see `docs/simulator.md`.
 */
export class Simulator {
  /** Faults to inject from the next bytes on; may be changed at any time. */
  faults: Faults;
  /** Its server, for commands of your own: `simulator.server.handle(…)`. */
  readonly server: RcspServer;
  readonly #motion: MotionSimulation | undefined;
  readonly #random: () => number;
  readonly #latency: readonly [least: number, most: number];
  readonly #table: DeviceTable;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #pressTimer: unknown;
  readonly #topics: ReadonlySet<string>;
  readonly #onError: ServerOptions["onError"];
  #hasLogged = false;

  /**
   * Creates a simulator that does not listen yet: see `serve()`.
   *
   * @throws {TypeError | RangeError} If an option is invalid.
   */
  constructor(options: SimulatorOptions = {}) {
    const { latency = 0, pressEvery } = options;
    const { clock = CLOCK } = options as ServerTestHooks;
    this.#clock = clock;
    this.#random = seededRandom(options.seed ?? 1);
    this.#latency = checkLatency(latency);
    if (pressEvery !== undefined) checkPressEvery(pressEvery);
    this.faults = options.faults ?? {};
    this.#onError = options.onError;
    this.server = new RcspServer({ ...options, onSubscribe: (topic) => this.#checkTopic(topic) });
    this.#table = new DeviceTable(this.server.dialect);
    const topics = [this.server.dialect.button, ...options.topics ?? []];
    this.#topics = new Set(topics.map(({ publisher, topic }) => filterKey({ publisher, topic })));
    this.#motion = this.#createMotion(options);
    this.#addDevices(
      options.devices === undefined ? defaultDevices(this.#random) : options.devices,
    );
    this.#handle("ListDevices", () => this.#table.list());
    this.#handle("GetDeviceInfo", (command) => this.#table.info(command));
    this.#handle("SetColorLed", (command) => this.#table.setColorLed(command));
    if (pressEvery !== undefined) this.#schedulePress(pressEvery);
    this.#motion?.start();
  }

  /** The address that it listens on; the first if there are several. */
  get address(): Address {
    const [address] = this.server.addresses;
    if (address === undefined) {
      throw new TypeError("The simulator is not listening: call serve() first");
    }
    return address;
  }

  /** The connected devices. */
  get devices(): SimulatedDevice[] {
    return this.#table.devices;
  }

  /** Listens, and accepts every client until `close()`: see {@link RcspServer.serve}. */
  serve(listen: Listen, options?: ListenOptions): Promise<Address> {
    return this.server.serve(
      (options, onSocket, onError) =>
        listen(options, (socket) => onSocket(this.#withFaults(socket)), onError),
      options,
    );
  }

  /** The motion stream; `undefined` without the option `motion`. */
  get motion(): SimulatedMotion | undefined {
    return this.#motion;
  }

  /**
   * Listens for clients of the motion stream: of the hands on `port`, of the raw stream on `rawPort`.
   *
   * Rejects as {@link serve}, and with a `TypeError` without the option `motion`.
   */
  async serveMotion(
    listen: Listen,
    options: MotionListenOptions = {},
  ): Promise<{ hands: Address; raw: Address }> {
    if (this.#motion === undefined) {
      throw new TypeError("Cannot serve motion as the simulator has no option 'motion'");
    }
    return await this.#motion.serve(listen, options);
  }

  /** Adds a client with a socket of your own. */
  accept(socket: Socket): void {
    this.server.accept(this.#withFaults(socket));
  }

  /**
   * Connects a device.
   *
   * @throws {TypeError} If a key of the device is invalid, unknown, or missing.
   * @throws {RangeError} If its `DeviceId` is in use.
   */
  addDevice(device: SimulatedDevice): void {
    this.#add(device, "Cannot add device");
  }

  /** Disconnects a device. Returns whether there was one. */
  removeDevice(deviceId: DeviceId): boolean {
    const device = this.#table.remove(deviceId);
    if (device !== undefined) this.#motion?.remove(device);
    return device !== undefined;
  }

  /**
   * Presses the button of a device. Returns the number of subscribers.
   *
   * @throws {RangeError} If there is no such device or no such press type.
   * @throws {LimitError} If the event is longer than `maxPayload` and it has subscribers.
   */
  press(deviceId: DeviceId, pressType: PressType): number {
    if (!this.#table.has(deviceId)) {
      const id = toJson(deviceId) === undefined
        ? describeValue(deviceId)
        : JSON.stringify(deviceId);
      throw new RangeError(`Cannot press: no device ${id}`);
    }
    if (!PRESS_TYPES.includes(pressType)) {
      throw new RangeError(
        `Cannot press: expected ${PRESS_TYPES.join(", ")}, received ${describeValue(pressType)}`,
      );
    }
    return this.server.publish({ ...this.server.dialect.button, deviceId, pressType });
  }

  /** Closes the simulator: see {@link RcspServer.close}. */
  async close(): Promise<void> {
    this.#clock.clear(this.#pressTimer);
    await Promise.all([this.server.close(), this.#motion?.close()]);
    this.#closing.abort();
  }

  /** Closes the simulator. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createMotion(options: SimulatorOptions): MotionSimulation | undefined {
    const { motion = false } = options;
    if (motion === false) return undefined;
    const { seed = options.seed, faults } = motion === true ? {} : motion;
    return new MotionSimulation({ seed, faults }, options, (time) => this.#sleep(time));
  }

  #addDevices(devices: readonly SimulatedDevice[]): void {
    if (!Array.isArray(devices)) {
      throw new TypeError(`'devices' must be an array of devices, not ${describeValue(devices)}`);
    }
    devices.forEach((device, i) => {
      this.#add(device, `Cannot use device ${i + 1} of 'devices'`);
    });
  }

  #add(given: SimulatedDevice, problem: string): void {
    const device = checkDevice(given, problem);
    this.#table.add(device);
    this.#motion?.add(device);
  }

  #checkTopic({ publisher, topic, deviceId }: EventFilter): void {
    if (!this.#topics.has(filterKey({ publisher, topic }))) {
      const message = `Unknown topic ${quote(topic)} of publisher ${quote(publisher)}`;
      throw refusal(this.server.dialect, "unknownTopic", message);
    }
    if (deviceId !== undefined) this.#table.find(deviceId);
  }

  #handle(name: string, handler: (command: Command) => HandlerResult): void {
    const [least, most] = this.#latency;
    this.server.handle(name, (command) => {
      if (most === 0) return handler(command);
      const latency = randomInteger(this.#random, least, most);
      return this.#answerAfter(latency, () => handler(command));
    });
  }

  /** Executes immediately, to keep the order of commands, and answers later. */
  async #answerAfter(latency: number, execute: () => HandlerResult): Promise<HandlerResult> {
    try {
      return execute();
    } finally {
      await this.#sleep(latency);
    }
  }

  #withFaults(socket: Socket): Socket {
    return withFaults(socket, () => this.faults, this.#random, (time) => this.#sleep(time));
  }

  #sleep(milliseconds: number): Promise<void> {
    return sleep(this.#clock, milliseconds, this.#closing.signal);
  }

  #schedulePress(interval: number): void {
    this.#pressTimer = this.#clock.set(() => {
      this.#schedulePress(interval);
      this.#pressAny();
    }, interval);
  }

  #pressAny(): void {
    const buttons = this.devices.filter(({ hasButton }) => hasButton);
    const device = randomItem(this.#random, buttons);
    const pressType = randomItem(this.#random, PRESS_TYPES);
    if (!device || !pressType) return;
    try {
      this.press(device.DeviceId, pressType);
    } catch (error) {
      // For example, the event is longer than 'maxPayload'.
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const onError = this.#onError;
    if (onError !== undefined) return callUserCallback(() => onError(error));
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    show("RCSP simulator: random press failed", error, "Set 'onError' to receive every error");
  }
}

function checkLatency(latency: number | readonly [number, number]): readonly [number, number] {
  const [least, most] = typeof latency === "number" ? [latency, latency] : latency;
  if (least >= 0 && least <= most && most <= LONGEST_TIMER) return [least, most];
  throw new RangeError(
    `'latency' must be milliseconds from 0 to ${LONGEST_TIMER}, or the least and the most: ` +
      `current value is ${latency}`,
  );
}

function checkPressEvery(pressEvery: number): void {
  if (pressEvery >= 1 && pressEvery <= LONGEST_TIMER) return;
  throw new RangeError(
    `'pressEvery' must be milliseconds from 1 to ${LONGEST_TIMER}: current value is ${pressEvery}`,
  );
}
