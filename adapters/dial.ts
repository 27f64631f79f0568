/**
 * What connecting has in common on every runtime: checks, `localhost`, abort, errors. Free of any
 * runtime.
 *
 * @module
 */

import { connectAddress, formatAddress } from "../src/address.ts";
import type { RawSocket } from "../src/raw_socket.ts";
import type { Address, Socket } from "../src/socket.ts";
import { toConnectionError } from "../src/socket_error.ts";
import { guard } from "./guard.ts";

/** Opens one connection. Should stop on abort where the runtime can; what it throws is mapped. */
export type Open = (address: Address, signal: AbortSignal | undefined) => Promise<RawSocket>;

/**
 * Opens a socket to the address, for `localhost` to either loopback address.
 *
 * Rejects with a `ConnectionError`, with the signal's reason as soon as it aborts (a connection that
 * comes up later is closed), or with a `TypeError` or `RangeError` if the address is wrong.
 */
export async function dial(
  address: Address,
  signal: AbortSignal | undefined,
  open: Open,
): Promise<Socket> {
  const checked = connectAddress(address);
  signal?.throwIfAborted();
  const opening = openFirst(checked, signal, open);
  return await (signal === undefined ? opening : orAbort(opening, signal));
}

async function openFirst(
  address: Address,
  signal: AbortSignal | undefined,
  open: Open,
): Promise<Socket> {
  let failure: Error | undefined;
  for (const host of hostsOf(address)) {
    try {
      return guard(await open({ host, port: address.port }, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      failure ??= toConnectionError(cause, "connect", formatAddress(address));
    }
  }
  throw failure;
}

/**
 * The system may know `localhost` as only one of the two addresses while the server listens on the
 * other. Its own idea comes first, as Deno grants permission by the name.
 */
function hostsOf({ host }: Address): string[] {
  return host.toLowerCase() === "localhost" ? [host, "127.0.0.1", "::1"] : [host];
}

function orAbort(opening: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  opening.then((socket) => {
    if (signal.aborted) return socket.close();
    signal.removeEventListener("abort", onAbort);
    resolve(socket);
  }, (failure) => {
    signal.removeEventListener("abort", onAbort);
    reject(failure);
  });
  return promise;
}
