/**
 * Maps what the runtimes throw to one set of codes and messages.
 *
 * @module
 */

import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";

/** What failed; `transfer` is a read or a write. */
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
  // Use of a socket that the other side has closed; after our own close() these are not reported.
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
  ["EADDRNOTAVAIL", "address-not-available"],
  ["AddrNotAvailable", "address-not-available"],
  ["EACCES", "permission-denied"],
  ["EPERM", "permission-denied"],
  ["ERR_ACCESS_DENIED", "permission-denied"],
  ["PermissionDenied", "permission-denied"],
  ["NotCapable", "permission-denied"],
]);

const REASONS: Readonly<Record<Exclude<ConnectionErrorCode, "connection-failed">, string>> = {
  "connection-refused": "connection refused",
  "host-not-found": "host not found",
  "host-unreachable": "host unreachable",
  "connection-reset": "connection reset by the other side",
  "connection-closed": "connection closed",
  "connection-stalled": "the other side is silent",
  "address-in-use": "port already in use",
  "address-not-available": "this machine has no such address",
  "permission-denied": "permission denied",
};

const ACTIONS: Readonly<Record<SocketAction, string>> = {
  connect: "Cannot connect to",
  listen: "Cannot listen on",
  accept: "Cannot accept a client on",
  transfer: "Lost connection to",
};

// Deno throws a plain `Error` without `code` for a failed lookup: on Unix, then on Windows.
const LOOKUP_FAILED = /failed to lookup address information|os error 1100[14]/;

/**
 * Wraps what a runtime threw in a `ConnectionError`; returns a `ConnectionError` unchanged. `address` is
 * formatted as `host:port`.
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

/** Makes a `ConnectionError` with the common message. `address` is formatted as `host:port`. */
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
  // Contains one error for each address that was tried.
  if (cause instanceof AggregateError) return cause.errors.map(codeOf).find(Boolean);
  return undefined;
}

function messageOf(
  code: ConnectionErrorCode,
  action: SocketAction,
  address: string,
  cause: unknown,
): string {
  const sentence = `${ACTIONS[action]} ${address}: `;
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (code === "connection-failed") return sentence + detail;
  // The runtime's own message says how to permit it.
  const hint = code === "permission-denied" ? `: ${detail}` : "";
  return sentence + REASONS[code] + hint;
}
