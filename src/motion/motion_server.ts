/**
 * A server of the motion stream.
 *
 * @module
 */

import { checkLimits, type Limits } from "../limits.ts";
import { type JsonObject, parseBody } from "../message/json.ts";
import type { ClientHandle } from "../server/command_context.ts";
import { Listeners } from "../server/listeners.ts";
import type { ServerTestHooks } from "../server/server.ts";
import type { Address, Listen, ListenOptions, Socket } from "../socket/socket.ts";
import { CLOCK, type Clock } from "../timers.ts";
import { callUserCallback } from "../user_callback.ts";
import { readDeviceId } from "./definition.ts";
import {
  encodeDefinition,
  encodeMotionFrame,
  MOTION_HEADER_SIZE,
  MotionPrefix,
  readUint32,
  VALUES_OFFSET,
} from "./frame.ts";
import { MotionSession } from "./motion_session.ts";

/** Options of a {@link MotionServer}. */
export interface MotionServerOptions {
  /** Maximum number of clients; further ones are closed immediately. Default: 1024. */
  maxClients?: number | undefined;
  /**
   * Maximum bytes of one client in the pending write, and of data frames that wait for it to complete.
   * A data frame that does not fit is skipped. Default: 4 MiB.
   */
  maxUnsent?: number | undefined;
  /** Milliseconds that `close()` waits for the clients to disconnect. Default: 5000. */
  closeTimeout?: number | undefined;
  /**
   * Receives why a client was disconnected, and errors of a listening socket. An error that it throws is
   * uncaught.
   */
  onError?: ((error: unknown, client?: ClientHandle) => void) | undefined;
}

/** What a {@link MotionServer} has counted. */
export interface MotionServerStats {
  /** Data frames that `send()` was called with. */
  readonly frames: number;
  /** Data frames that a slow client did not get, as a newer one replaced them; over all clients. */
  readonly skipped: number;
  /** Bytes that the system has accepted, over all clients. */
  readonly bytesSent: number;
  /** Clients refused because of `maxClients`. */
  readonly refused: number;
}

/** A server is an async disposable: `await using` closes it. */
// Some .d.ts generators omit members whose names are symbols.
export interface MotionServer extends AsyncDisposable {}

/**
 * A server of the motion stream (RGMP v2). Each client receives the definitions of all devices, then
 * their data.
 *
 * - State, not a queue: for a client that reads slowly, the newest frame of each device and group
 *   replaces the one that still waits. This begins when the buffers of the system are full.
 * - A client must not send anything: one that does is disconnected. So is one that ends its half of the
 *   connection, which looks the same as its end.
 */
export class MotionServer {
  readonly #options: MotionServerOptions;
  readonly #limits: Limits;
  readonly #clock: Clock;
  /** The newest definition of each device, as a frame. */
  readonly #definitions = new Map<number, Uint8Array>();
  readonly #sessions = new Set<MotionSession>();
  readonly #listeners = new Listeners();
  readonly #counts = { frames: 0, skipped: 0, bytesSent: 0, refused: 0 };

  /**
   * Creates a server that does not listen yet: see `serve()`.
   *
   * @throws {RangeError} If an option is invalid.
   */
  constructor(options: MotionServerOptions = {}) {
    this.#options = options;
    const { clock = CLOCK } = options as ServerTestHooks;
    this.#clock = clock;
    this.#limits = checkLimits(options);
  }

  /** Number of connected clients. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** The addresses that it listens on. */
  get addresses(): Address[] {
    return this.#listeners.addresses;
  }

  /**
   * Listens, and accepts every client until `close()`. Returns the address with the actual port.
   *
   * Rejects with a `ConnectionError` if the port is taken, or with a `TypeError` or `RangeError` if the
   * address is invalid or the server is closed.
   */
  serve(listen: Listen, options: ListenOptions = {}): Promise<Address> {
    return this.#listeners.serve(listen, options, this, (error) => this.#report(error));
  }

  /** Adds a client with a socket of your own. */
  accept(socket: Socket): void {
    if (this.#listeners.closed) return socket.close();
    if (this.#sessions.size >= this.#limits.maxClients) {
      this.#counts.refused++;
      return socket.close();
    }
    const session = new MotionSession(socket, {
      maxUnsent: this.#limits.maxUnsent,
      counts: this.#counts,
      onDisconnect: (error, client) => this.#report(error, client),
    });
    this.#sessions.add(session);
    socket.closed.then(() => this.#sessions.delete(session));
    for (const [deviceId, frame] of this.#definitions) session.writer.define(deviceId, frame);
  }

  /**
   * Defines a device for all clients and for those that connect later. It replaces the definition with
   * the same `device_id`. A string or bytes are sent unchanged; if no `device_id` can be read from them,
   * only the connected clients receive them, once. Returns the number of connected clients.
   *
   * @throws {TypeError} If an object has no valid `device_id`.
   */
  define(definition: JsonObject | string | Uint8Array): number {
    const frame = definition instanceof Uint8Array
      ? encodeMotionFrame(MotionPrefix.Definition, definition)
      : encodeDefinition(definition);
    const deviceId = deviceIdOf(frame.subarray(MOTION_HEADER_SIZE));
    if (deviceId !== undefined) this.#definitions.set(deviceId, frame);
    else if (typeof definition === "object" && !(definition instanceof Uint8Array)) {
      const rule = "'device_id' must be an integer from 0 to 2^32 - 1";
      const value = String(definition["device_id"]);
      throw new TypeError(`Cannot define device as ${rule}: current value is ${value}`);
    }
    return this.#forEachClient(({ writer }) => {
      if (deviceId === undefined) writer.sendOnce(frame);
      else writer.define(deviceId, frame);
    });
  }

  /**
   * Sends a data frame, its header included, to all clients. It is copied. Returns their number. A frame
   * without a definition is sent too: receivers drop it.
   *
   * @throws {TypeError} If it is not one whole data frame.
   */
  send(frame: Uint8Array): number {
    checkDataFrame(frame);
    this.#counts.frames++;
    if (this.#sessions.size === 0) return 0;
    // `slice()` of a Buffer shares its memory.
    const copy = new Uint8Array(frame);
    const deviceId = readUint32(copy, MOTION_HEADER_SIZE);
    const groupId = readUint32(copy, MOTION_HEADER_SIZE + 4);
    return this.#forEachClient(({ writer }) => writer.send(deviceId, groupId, copy));
  }

  /** Forgets a device and tells the clients that know it. Returns whether it was defined. */
  disconnect(deviceId: number): boolean {
    if (!this.#definitions.delete(deviceId)) return false;
    this.#forEachClient(({ writer }) => writer.disconnect(deviceId));
    return true;
  }

  /** What was counted so far. */
  stats(): MotionServerStats {
    return { ...this.#counts };
  }

  /**
   * Stops listening, sends what is pending, ends the streams, and waits until the clients have
   * disconnected; after `closeTimeout` it disconnects them. May be called more than once.
   */
  close(): Promise<void> {
    return this.#listeners.close(this.#sessions, this.#clock, this.#limits.closeTimeout);
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #forEachClient(action: (session: MotionSession) => void): number {
    if (this.#listeners.closed) return 0;
    let reached = 0;
    for (const session of this.#sessions) {
      if (session.ended) continue;
      action(session);
      reached++;
    }
    return reached;
  }

  #report(error: unknown, client?: ClientHandle): void {
    const { onError } = this.#options;
    if (onError) callUserCallback(() => onError(error, client));
  }
}

function deviceIdOf(payload: Uint8Array): number | undefined {
  try {
    return readDeviceId(parseBody(payload, Infinity));
  } catch {
    return undefined;
  }
}

function checkDataFrame(frame: Uint8Array): void {
  const isData = frame.length >= VALUES_OFFSET &&
    readUint32(frame, 0) === MotionPrefix.Data &&
    readUint32(frame, 4) === frame.length - MOTION_HEADER_SIZE;
  if (isData) return;
  throw new TypeError(
    `Cannot send frame of ${frame.length} bytes as it is not one whole data frame: prefix 2, the ` +
      "length of the rest, then at least 16 bytes",
  );
}
