/**
 * Sockets within one process, without a network.
 *
 * @module
 */

import type { ConnectionError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { formatAddress, listenAddress } from "./address.ts";
import { dial } from "./dial.ts";
import { connectionError } from "./errors.ts";
import {
  type Address,
  type Connector,
  type Listen,
  type RawSocket,
  type Receiver,
  RuntimeSocket,
  type Socket,
} from "./socket.ts";

/** Unread bytes per direction above which `write()` waits. */
const CAPACITY = 64 * 1024;
const FIRST_FREE_PORT = 49_152;

/** Both sides of a private network. */
export interface MemoryNetwork {
  /** Connects to a port of this network; the host is ignored. */
  readonly connector: Connector;
  /** Listens on a port of this network; the default is a free one from 49152 on. */
  readonly listen: Listen;
}

/**
 * Two sockets connected to each other. Bytes are copied. Once 64 KiB are unread, `write()` resolves only
 * when the other side has read them.
 */
export function socketPair(): [Socket, Socket] {
  return pair("memory", "memory");
}

/** Creates a private network. Connecting to a port without a listener is `connection-refused`. */
export function memoryNetwork(): MemoryNetwork {
  const ports = new Map<number, (socket: Socket) => void>();
  const open = (address: Address): Socket => {
    const remote = formatAddress(address);
    const onSocket = ports.get(address.port);
    if (onSocket === undefined) throw connectionError("connection-refused", "connect", remote);
    const [near, far] = pair(remote, "memory");
    onSocket(far);
    return near;
  };
  return {
    connector: (address, options) =>
      dial(address, options?.signal, (to) => new Promise((resolve) => resolve(open(to)))),
    // deno-lint-ignore require-await -- so that it rejects instead of throwing
    listen: async (options, onSocket) => {
      let { host, port } = listenAddress(options);
      if (port === 0) {
        port = FIRST_FREE_PORT;
        while (ports.has(port)) port++;
      }
      const address = { host, port };
      if (ports.has(port)) {
        throw connectionError("address-in-use", "listen", formatAddress(address));
      }
      ports.set(port, onSocket);
      const close = (): Promise<void> => {
        if (ports.get(port) === onSocket) ports.delete(port);
        return Promise.resolve();
      };
      return { address, close };
    },
  };
}

function pair(nearRemote: string, farRemote: string): [Socket, Socket] {
  const near = new MemorySocket(nearRemote);
  const far = new MemorySocket(farRemote);
  near.other = far;
  far.other = near;
  return [new RuntimeSocket(near), new RuntimeSocket(far)];
}

class MemorySocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  other: MemorySocket = this;
  #receiver: Receiver | undefined;
  /** What the other side has written and this side has not read. */
  readonly #unread = new Fifo<Uint8Array>();
  #unreadBytes = 0;
  #ended = false;
  #paused = true;
  /** The other side's write that waits for this side to read. */
  #writer: PromiseWithResolvers<void> | undefined;
  #gone = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(this.#deliver);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += CAPACITY) {
      if (this.#gone || this.other.#gone) throw this.#reset();
      await this.other.#accept(bytes.slice(start, start + CAPACITY));
    }
  }

  closeWrite(): Promise<void> {
    this.other.#endReading();
    return Promise.resolve();
  }

  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.other.#endReading();
    this.other.#writer?.resolve();
    this.#writer?.reject(this.other.#reset());
    this.#end.resolve();
  }

  async #accept(chunk: Uint8Array): Promise<void> {
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.length;
    queueMicrotask(this.#deliver);
    if (this.#unreadBytes < CAPACITY) return;
    await (this.#writer = Promise.withResolvers()).promise;
  }

  #endReading(): void {
    this.#ended = true;
    queueMicrotask(this.#deliver);
  }

  readonly #deliver = (): void => {
    while (!this.#paused && !this.#gone) {
      const chunk = this.#unread.shift();
      if (chunk === undefined) {
        if (this.#ended) this.#receiver?.onEnd();
        break;
      }
      this.#unreadBytes -= chunk.length;
      this.#paused = !this.#receiver?.onChunk(chunk);
    }
    if (this.#unreadBytes === 0) this.#writer?.resolve();
  };

  #reset(): ConnectionError {
    return connectionError("connection-reset", "transfer", this.remote);
  }
}
