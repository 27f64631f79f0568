/**
 * The clients of a listener, each with what serves it.
 *
 * @module
 */

import type { Socket } from "@rcsp/rcsp";

export class ClientSet {
  /** Clients so far. */
  count = 0;
  readonly #most: number;
  readonly #serve: (socket: Socket, number: number) => Promise<void>;
  readonly #sessions = new Map<Socket, Promise<void>>();

  /** `serve` never rejects, and ends when its socket is closed; clients beyond `most` at once are closed. */
  constructor(most: number, serve: (socket: Socket, number: number) => Promise<void>) {
    this.#most = most;
    this.#serve = serve;
  }

  /** Serves a client; clients are numbered from 1. */
  accept(socket: Socket): void {
    if (this.#sessions.size >= this.#most) return socket.close();
    const session = this.#serve(socket, ++this.count).finally(() => {
      socket.close();
      this.#sessions.delete(socket);
    });
    this.#sessions.set(socket, session);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    for (const socket of this.#sessions.keys()) socket.close();
    await Promise.all(sessions);
  }
}
