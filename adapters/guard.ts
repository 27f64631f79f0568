/**
 * Raw sockets made into sockets, with the errors of all runtimes mapped to one set.
 *
 * @module
 */

import { GuardedSocket } from "../src/guarded_socket.ts";
import type { RawSocket } from "../src/raw_socket.ts";
import type { Socket } from "../src/socket.ts";
import { toConnectionError } from "../src/socket_error.ts";

/** Makes a socket that keeps every rule out of a raw one. */
export function guard(raw: RawSocket): Socket {
  return new GuardedSocket(raw, (cause, remote) => toConnectionError(cause, "transfer", remote));
}
