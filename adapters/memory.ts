/**
 * Sockets without a network, within one process. Free of any runtime.
 *
 * @module
 */

import { formatAddress, listenAddress } from "../src/address.ts";
import type { ConnectionError } from "../src/errors.ts";
import type { RawSocket } from "../src/raw_socket.ts";
import type { Address, Connector, Listen, Listener, Socket } from "../src/socket.ts";
import { connectionError } from "../src/socket_error.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { dial } from "./dial.ts";
import { Inbox } from "./inbox.ts";
import { guard } from "./guard.ts";

/** How many bytes wait in one direction before `write()` does. */
const CAPACITY = 64 * 1024;
const FIRST_FREE_PORT = 49_152;

/** Both sides of a network that is private to whoever has them. */
export interface MemoryNetwork {
  /** Connects to a port of this network; the host is not looked at. */
  readonly connector: Connector;
  /** Listens on a port of this network, any free one from 49152 on unless told. */
  readonly listen: Listen;
}

/**
 * Two sockets that lead to each other. Bytes are copied on their way. Once 64 KiB wait unread,
 * `write()` resolves only when the other side has read them.
 */
export function socketPair(): [Socket, Socket] {
  const [near, far] = rawPair("memory", "memory");
  return [guard(near), guard(far)];
}

/** A network of its own: connecting to a port that nobody listens on is `connection-refused`. */
export function memoryNetwork(): MemoryNetwork {
  const queues = new Map<number, AcceptQueue>();
  return {
    connector: (address, options) =>
      dial(address, options?.signal, () => Promise.resolve(join(queues, address))),
    listen: (options) =>
      new Promise((resolve) => resolve(startListening(queues, listenAddress(options)))),
  };
}

function join(queues: Map<number, AcceptQueue>, address: Address): RawSocket {
  const queue = queues.get(address.port);
  const remote = formatAddress(address);
  if (queue === undefined) throw connectionError("connection-refused", "connect", remote);
  const [near, far] = rawPair(remote, "memory");
  queue.push(guard(far));
  return near;
}

function startListening(queues: Map<number, AcceptQueue>, { host, port }: Address): Listener {
  if (port === 0) {
    port = FIRST_FREE_PORT;
    while (queues.has(port)) port++;
  }
  const address = { host, port };
  if (queues.has(port)) throw connectionError("address-in-use", "listen", formatAddress(address));
  const queue = new AcceptQueue();
  queues.set(port, queue);
  return queue.toListener(address, () => void queues.delete(port));
}

function rawPair(nearRemote: string, farRemote: string): [RawSocket, RawSocket] {
  const near = new MemorySocket(nearRemote);
  const far = new MemorySocket(farRemote);
  near.other = far;
  far.other = near;
  return [near, far];
}

class MemorySocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  other: MemorySocket = this;
  readonly #inbox: Inbox = new Inbox(() => this.other.#writer?.resolve(), CAPACITY);
  /** The write that waits for the other side to read. */
  #writer: PromiseWithResolvers<void> | undefined;
  #gone = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  read(): Promise<Uint8Array | null> {
    return this.#inbox.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += CAPACITY) {
      if (this.#gone || this.other.#gone) throw this.#reset();
      if (this.other.#inbox.push(bytes.slice(start, start + CAPACITY))) continue;
      this.#writer = Promise.withResolvers<void>();
      await this.#writer.promise;
    }
  }

  closeWrite(): Promise<void> {
    this.other.#inbox.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.other.#inbox.end();
    this.#writer?.resolve();
    this.other.#writer?.reject(this.other.#reset());
    this.#end.resolve();
  }

  #reset(): ConnectionError {
    return connectionError("connection-reset", "transfer", this.remote);
  }
}
