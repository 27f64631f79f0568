/**
 * Abort of a pending connection attempt.
 *
 * @module
 */

import type { Socket } from "./socket.ts";

/** Rejects as soon as the signal aborts; a socket that opens after that is closed. */
export function orAbort(opening: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  opening.then((socket) => {
    // A connector of a user's own may resolve with anything.
    if (signal.aborted) return socket?.close?.();
    signal.removeEventListener("abort", onAbort);
    resolve(socket);
  }, (failure) => {
    signal.removeEventListener("abort", onAbort);
    reject(failure);
  });
  return promise;
}
