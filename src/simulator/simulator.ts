/**
 * The simulator.
 *
 * @module
 */

import type { Color } from "../client/color.ts";
import { CommandError } from "../errors.ts";
import type { Command, DeviceId } from "../message/command.ts";
import {
  type EventFilter,
  filterKey,
  PRESS_TYPES,
  type PressType,
  sameId,
} from "../message/event.ts";
import { describeValue, type JsonObject, type JsonValue } from "../message/json.ts";
import { quote } from "../escape.ts";
import { callUserCallback, show } from "../user_callback.ts";
import { RcspServer, type ServerOptions, type ServerTestHooks } from "../server/server.ts";
import type { HandlerResult } from "../server/command_context.ts";
import { CLOCK, type Clock, LONGEST_TIMER, sleep } from "../timers.ts";
import type { Address, Listen, ListenOptions, Socket } from "../socket/socket.ts";
import {
  checkDevice,
  type CheckedDevice,
  defaultDevices,
  sideOf,
  type SimulatedDevice,
  toJson,
} from "./devices.ts";
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

interface State {
  readonly device: CheckedDevice;
  readonly leds: Map<string, Color>;
}

const CHANNELS = ["Red", "Green", "Blue"] as const;

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
  readonly #states: State[] = [];
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
    const topics = [this.server.dialect.button, ...options.topics ?? []];
    this.#topics = new Set(topics.map(({ publisher, topic }) => filterKey({ publisher, topic })));
    this.#motion = this.#createMotion(options);
    this.#addDevices(
      options.devices === undefined ? defaultDevices(this.#random) : options.devices,
    );
    this.#handle("ListDevices", () => this.#list());
    this.#handle("GetDeviceInfo", (command) => this.#info(this.#addressed(command)));
    this.#handle("SetColorLed", (command) => this.#setColorLed(command));
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
    return this.#states.map(({ device }) => device);
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
    this.#add(checkDevice(device, "Cannot add device"));
  }

  /** Disconnects a device. Returns whether there was one. */
  removeDevice(deviceId: DeviceId): boolean {
    const state = this.#stateOf(deviceId);
    if (state === undefined) return false;
    this.#states.splice(this.#states.indexOf(state), 1);
    this.#motion?.remove(state);
    return true;
  }

  /**
   * Presses the button of a device. Returns the number of subscribers.
   *
   * @throws {RangeError} If there is no such device or no such press type.
   * @throws {LimitError} If the event is longer than `maxPayload` and it has subscribers.
   */
  press(deviceId: DeviceId, pressType: PressType): number {
    if (this.#stateOf(deviceId) === undefined) {
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
      this.#add(checkDevice(device, `Cannot use device ${i + 1} of 'devices'`));
    });
  }

  #add(device: CheckedDevice): void {
    if (this.#stateOf(device.DeviceId) !== undefined) {
      throw new RangeError(
        `Cannot add device as 'DeviceId' ${JSON.stringify(device.DeviceId)} is in use`,
      );
    }
    const off = (led: string): [string, Color] => [led, { Red: 0, Green: 0, Blue: 0 }];
    const state = { device, leds: new Map(device.leds.map(off)) };
    this.#states.push(state);
    const side = sideOf(device);
    if (side !== undefined) this.#motion?.add(state, side);
  }

  #stateOf(deviceId: DeviceId): State | undefined {
    const id = toJson(deviceId);
    if (id === undefined || id === null) return undefined;
    return this.#states.find(({ device }) => sameId(device.DeviceId, id as DeviceId));
  }

  #checkTopic({ publisher, topic, deviceId }: EventFilter): void {
    if (!this.#topics.has(filterKey({ publisher, topic }))) {
      throw new CommandError({
        Code: this.server.dialect.errorCodes.unknownTopic,
        Message: `Unknown topic ${quote(topic)} of publisher ${quote(publisher)}`,
      });
    }
    if (deviceId !== undefined) this.#find(deviceId);
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

  #list(): JsonObject {
    return {
      Devices: this.#states.map(({ device: { DeviceId, Name, Type } }) => ({
        DeviceId,
        Name,
        Type,
      })),
    };
  }

  #info({ device, leds }: State): JsonObject {
    const { DeviceId, Name, Type, info } = device;
    const colors = Array.from(leds, ([LedId, color]) => ({ LedId, ...color }));
    return { DeviceId, Name, Type, ...info, Leds: colors };
  }

  #setColorLed(command: Command): void {
    const { leds } = this.#addressed(command);
    const { LedId } = command.Arguments;
    if (typeof LedId !== "string" || !leds.has(LedId)) {
      throw this.#badArguments(`'LedId' must be one of ${[...leds.keys()].join(", ")}`);
    }
    const [Red, Green, Blue] = CHANNELS.map((channel) => {
      const value = command.Arguments[channel];
      if (isChannel(value)) return value;
      throw this.#badArguments(`'${channel}' must be an integer from 0 to 255`);
    });
    leds.set(LedId, { Red: Red!, Green: Green!, Blue: Blue! });
  }

  #addressed({ Command, Arguments }: Command): State {
    const deviceId = Arguments["DeviceId"] ?? undefined;
    if (deviceId === undefined) throw this.#badArguments(`${Command} needs a 'DeviceId'`);
    return this.#find(deviceId as DeviceId);
  }

  #find(deviceId: DeviceId): State {
    const state = this.#stateOf(deviceId);
    if (state !== undefined) return state;
    throw new CommandError({
      Code: this.server.dialect.errorCodes.unknownDevice,
      Message: `Unknown device ${JSON.stringify(deviceId)}`,
    });
  }

  #badArguments(Message: string): CommandError {
    return new CommandError({ Code: this.server.dialect.errorCodes.badArguments, Message });
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

function isChannel(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}
