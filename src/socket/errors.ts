/**
 * What the runtimes throw at a socket, as one set of codes and one wording.
 *
 * @module
 */

import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";

/** What was tried when an error came; `transfer` is a read or a write. */
export type SocketAction = "connect" | "listen" | "accept" | "transfer";

// Node's and Bun's `code`, or the name of Deno's class: not all of these have a `code`.
const CODES: ReadonlyMap<unknown, ConnectionErrorCode> = new Map<unknown, ConnectionErrorCode>([
  ["ECONNREFUSED", "connection-refused"],
  ["ConnectionRefused", "connection-refused"],
  ["ENOTFOUND", "host-not-found"],
  ["EAI_AGAIN", "host-not-found"],
  ["EAI_NODATA", "host-not-found"],
  ["EAI_NONAME", "host-not-found"],
  ["URIError", "host-not-found"],
  ["EHOSTUNREACH", "host-unreachable"],
  ["EHOSTDOWN", "host-unreachable"],
  ["ENETUNREACH", "host-unreachable"],
  ["ENETDOWN", "host-unreachable"],
  ["NetworkUnreachable", "host-unreachable"],
  ["ETIMEDOUT", "host-unreachable"],
  ["TimedOut", "host-unreachable"],
  ["ECONNRESET", "connection-reset"],
  ["ConnectionReset", "connection-reset"],
  ["ECONNABORTED", "connection-reset"],
  ["ConnectionAborted", "connection-reset"],
  ["EPIPE", "connection-reset"],
  ["BrokenPipe", "connection-reset"],
  // What a socket says of itself once it is gone. After its own close() nobody asks it any more.
  ["ENOTCONN", "connection-reset"],
  ["NotConnected", "connection-reset"],
  ["EBADF", "connection-reset"],
  ["BadResource", "connection-reset"],
  ["Interrupted", "connection-reset"],
  ["ECANCELED", "connection-reset"],
  ["ERR_STREAM_DESTROYED", "connection-reset"],
  ["ERR_SOCKET_CLOSED", "connection-reset"],
  ["EADDRINUSE", "address-in-use"],
  ["AddrInUse", "address-in-use"],
  ["EACCES", "permission-denied"],
  ["EPERM", "permission-denied"],
  ["ERR_ACCESS_DENIED", "permission-denied"],
  ["PermissionDenied", "permission-denied"],
  ["NotCapable", "permission-denied"],
]);

const REASONS: Readonly<Record<Exclude<ConnectionErrorCode, "connection-failed">, string>> = {
  "connection-refused": "nobody listens there",
  "host-not-found": "the host name is not known",
  "host-unreachable": "no way leads to the host",
  "connection-reset": "the other side cut the connection",
  "connection-closed": "it is closed",
  "connection-stalled": "the other side has gone silent",
  "address-in-use": "the port is taken",
  "permission-denied": "the runtime or the system forbids it",
};

const ACTIONS: Readonly<Record<SocketAction, string>> = {
  connect: "Cannot connect to",
  listen: "Cannot listen on",
  accept: "Cannot accept a client on",
  transfer: "Cannot go on with the connection to",
};

// A failed look-up is a plain `Error` without `code` in Deno: the first on Unix, then on Windows.
const LOOKUP_FAILED = /failed to lookup address information|os error 1100[14]/;

/**
 * The `ConnectionError` of what a runtime threw, which becomes its `cause`; one that is a
 * `ConnectionError` already is given back as it is. `address` is in words.
 */
export function toConnectionError(
  cause: unknown,
  action: SocketAction,
  address: string,
): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  return connectionError(codeOf(cause) ?? "connection-failed", action, address, { cause });
}

/** The error mapping of a connected socket. */
export function toTransferError(cause: unknown, remote: string): ConnectionError {
  return toConnectionError(cause, "transfer", remote);
}

/** A `ConnectionError` in the common wording. `address` is in words. */
export function connectionError(
  code: ConnectionErrorCode,
  action: SocketAction,
  address: string,
  options: ErrorOptions = {},
): ConnectionError {
  return new ConnectionError(code, messageOf(code, action, address, options.cause), options);
}

function codeOf(cause: unknown): ConnectionErrorCode | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = CODES.get("code" in cause ? cause.code : undefined) ?? CODES.get(cause.name);
  if (code !== undefined) return code;
  if (LOOKUP_FAILED.test(cause.message)) return "host-not-found";
  // One error for each address that was tried.
  if (cause instanceof AggregateError) return cause.errors.map(codeOf).find(Boolean);
  return undefined;
}

function messageOf(
  code: ConnectionErrorCode,
  action: SocketAction,
  address: string,
  cause: unknown,
): string {
  if (action === "transfer" && code === "connection-reset") {
    return `Connection to ${address} was reset by the other side`;
  }
  const sentence = `${ACTIONS[action]} ${address}`;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === "connection-failed") return `${sentence}: ${detail}`;
  // The runtime's own words say how to permit it.
  const hint = code === "permission-denied" ? `: ${detail}` : "";
  return `${sentence} as ${REASONS[code]}${hint}`;
}
