/**
 * The listening sockets of a server, and its end.
 *
 * @module
 */

import type { Address, Listen, Listener, ListenOptions, Socket } from "../socket/socket.ts";
import type { Clock } from "../timers.ts";

/** A client of a server that closes. */
interface Client {
  /** Sends what is pending, and waits until the client has disconnected. */
  drain(): Promise<void>;
  close(): void;
}

/** What `serve()` and `close()` of every server do. */
export class Listeners {
  readonly #listeners = new Set<Listener>();
  #closed: Promise<void> | undefined;

  get addresses(): Address[] {
    return Array.from(this.#listeners, (listener) => listener.address);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  async serve(
    listen: Listen,
    options: ListenOptions,
    server: { accept(socket: Socket): void },
    onError: (error: unknown) => void,
  ): Promise<Address> {
    if (this.closed) throw new TypeError("Cannot serve as the server is closed");
    const listener = await listen(options, (socket) => server.accept(socket), onError);
    if (this.closed) await listener.close();
    else this.#listeners.add(listener);
    return listener.address;
  }

  /** Disconnects the clients that have not disconnected by themselves after `timeout`. */
  close(clients: Iterable<Client>, clock: Clock, timeout: number): Promise<void> {
    return this.#closed ??= this.#close([...clients], clock, timeout);
  }

  async #close(clients: readonly Client[], clock: Clock, timeout: number): Promise<void> {
    const listeners = Array.from(this.#listeners, (listener) => listener.close());
    const timer = clock.set(() => clients.forEach((client) => client.close()), timeout);
    await Promise.all([...listeners, ...clients.map((client) => client.drain())]);
    this.#listeners.clear();
    clock.clear(timer);
  }
}
