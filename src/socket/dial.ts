/**
 * Connecting, for every runtime: validation, `localhost`, abort, errors.
 *
 * @module
 */

import { connectAddress, formatAddress } from "./address.ts";
import { toConnectionError } from "./errors.ts";
import { orAbort } from "./or_abort.ts";
import type { Address, Socket } from "./socket.ts";

/** Opens one connection. Should stop on abort if the runtime can; its errors are mapped. */
export type Open = (address: Address, signal: AbortSignal | undefined) => Promise<Socket>;

/**
 * Opens a socket to the address; for `localhost`, to either loopback address.
 *
 * Rejects with a `ConnectionError`, with the signal's reason as soon as it aborts (a connection that
 * opens later is closed), or with a `TypeError` or `RangeError` if the address is invalid.
 */
export async function dial(
  address: Address,
  signal: AbortSignal | undefined,
  open: Open,
): Promise<Socket> {
  const bare = connectAddress(address);
  signal?.throwIfAborted();
  const opening = openFirst(bare, signal, open);
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
      return await open({ host, port: address.port }, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      failure ??= toConnectionError(cause, "connect", formatAddress(address));
    }
  }
  throw failure;
}

/**
 * Every runtime tries all addresses that the system knows for a name. But the system may know
 * `localhost` as only one of the two loopback addresses while the server listens on the other. The name
 * comes first, as Deno grants permissions by name.
 */
function hostsOf({ host }: Address): string[] {
  return host.toLowerCase() === "localhost" ? [host, "127.0.0.1", "::1"] : [host];
}
