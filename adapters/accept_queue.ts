/**
 * The clients that came and were not accepted yet. Free of any runtime.
 *
 * @module
 */

import { Fifo } from "../src/fifo.ts";
import type { Address, Listener, Socket } from "../src/socket.ts";

/** Turns clients that are pushed into clients that are pulled. */
export class AcceptQueue {
  readonly #sockets = new Fifo<Socket>();
  readonly #waiting = new Fifo<PromiseWithResolvers<Socket | null>>();
  #failure: Error | undefined;
  #closed = false;

  /** The listener that takes from this queue; `stop` is called at its first `close()`. */
  toListener(address: Address, stop: () => void): Listener {
    const close = (): void => {
      if (this.#closed) return;
      stop();
      this.#close();
    };
    return { address, accept: () => this.#accept(), close };
  }

  /** A client came. It is closed at once where nobody accepts any more. */
  push(socket: Socket): void {
    if (this.#closed) return socket.close();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#sockets.push(socket);
    else waiting.resolve(socket);
  }

  /** Accepting failed: one `accept()` rejects, the waiting one or the next. */
  fail(failure: Error): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#failure = failure;
    else waiting.reject(failure);
  }

  /** Several may wait: first come, first served. */
  #accept(): Promise<Socket | null> {
    if (this.#closed) return Promise.resolve(null);
    const socket = this.#sockets.shift();
    if (socket !== undefined) return Promise.resolve(socket);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure);
    const waiting = Promise.withResolvers<Socket | null>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  #close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.takeAll()) waiting.resolve(null);
    for (const socket of this.#sockets.takeAll()) socket.close();
  }
}
