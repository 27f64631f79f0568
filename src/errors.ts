/**
 * Errors. Each has a stable `code` for programs; messages are for people and may change.
 *
 * Invalid arguments are a `TypeError` or a `RangeError`, an abort rejects with the signal's reason, and
 * everything else is an {@link RcspError}.
 *
 * @module
 */

/** The stable codes of {@link RcspError} and its subclasses. */
export type RcspErrorCode =
  | ConnectionErrorCode
  | ProtocolErrorCode
  | "command-failed"
  | "limit-reached"
  | "timeout";

/** The base of every error of this module. */
export class RcspError extends Error {
  /** `RcspError`. */
  override readonly name: string = "RcspError";
  /** What went wrong, for programs: stable between versions. */
  readonly code: RcspErrorCode;
  /**
   * For the error of a call: `true` if the server may have received and executed the command. It is never
   * sent again.
   */
  readonly sent: boolean;

  /** Creates an error with a stable code, a message for people, and its cause. */
  constructor(
    code: RcspErrorCode,
    message: string,
    options: ErrorOptions & { sent?: boolean } = {},
  ) {
    super(message, options);
    this.code = code;
    this.sent = options.sent ?? false;
  }
}

/** The codes of {@link ConnectionError}. */
export type ConnectionErrorCode =
  /** No server listens on this port. */
  | "connection-refused"
  /** Unknown host name. */
  | "host-not-found"
  /** The network cannot reach the host. */
  | "host-unreachable"
  /** The other side or the network ended the connection. */
  | "connection-reset"
  /** The connection is closed. */
  | "connection-closed"
  /** The other side does not answer a heartbeat, or does not complete a frame. */
  | "connection-stalled"
  /** The port to listen on is in use. */
  | "address-in-use"
  /** The address to listen on is not one of this machine. */
  | "address-not-available"
  /** Denied by the runtime or the system. */
  | "permission-denied"
  /** Anything else: see `cause`. */
  | "connection-failed";

/** The connection failed, or has ended. */
export class ConnectionError extends RcspError {
  /** `ConnectionError`. */
  override readonly name: string = "ConnectionError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: ConnectionErrorCode;

  /** `sent` defaults to `false`. */
  constructor(
    code: ConnectionErrorCode,
    message: string,
    options?: ErrorOptions & { sent?: boolean },
  ) {
    super(code, message, options);
  }
}

/** The error itself, or a `ConnectionError` with it as the cause; `action` begins its message. */
export function asRcspError(error: unknown, action = ""): RcspError {
  return error instanceof RcspError ? error : failedError(error, action);
}

/** A `ConnectionError` for anything else; `action` begins its message. */
export function failedError(cause: unknown, action: string): ConnectionError {
  const message = action + (cause instanceof Error ? cause.message : String(cause));
  return new ConnectionError("connection-failed", message, { cause });
}

/** The codes of {@link ProtocolError}. */
export type ProtocolErrorCode =
  /** The first byte of a header is not `0xDC`. */
  | "bad-marker"
  /** The second byte of a header is not `1`. */
  | "bad-version"
  /** The third byte of a header is not `8`. */
  | "bad-header-size"
  /** The fourth byte of a header is not a known type. */
  | "bad-type"
  /** The stream ended inside a frame. */
  | "cut-frame"
  /** The body is not UTF-8. */
  | "bad-utf8"
  /** The body is not one JSON object. */
  | "bad-json"
  /** A key of the body has a value of the wrong type. */
  | "bad-shape"
  /** A type that this side must not send: a command from a server, a response from a client. */
  | "unexpected-type"
  /** A response without a pending command. */
  | "unexpected-response"
  /** A response whose `TrackId` is not that of the oldest pending command. */
  | "out-of-step";

/** Options of a {@link ProtocolError}. */
export interface ProtocolErrorDetail extends ErrorOptions {
  /** What the protocol requires here. */
  expected: string;
  /** What was received instead. */
  received: string;
  /** Offset of the invalid frame in the received stream, if known. */
  offset?: number | undefined;
  /** The invalid bytes; the first 16 are kept, as hex. */
  bytes?: Uint8Array | undefined;
}

const EXCERPT = 16;

/** The other side violated the protocol. Closes the connection. */
export class ProtocolError extends RcspError {
  /** `ProtocolError`. */
  override readonly name: string = "ProtocolError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: ProtocolErrorCode;
  /** What the protocol requires here. */
  readonly expected: string;
  /** What was received instead. */
  readonly received: string;
  /** Offset of the invalid frame in the received stream, if known. */
  readonly offset: number | undefined;
  /** Up to 16 of the invalid bytes in hex, such as `47 45 54 20`; may be empty. */
  readonly excerpt: string;

  /** `action` begins the message: `Cannot read header`. */
  constructor(code: ProtocolErrorCode, action: string, detail: ProtocolErrorDetail) {
    const { expected, received, offset, bytes } = detail;
    const excerpt = bytes === undefined ? "" : hex(bytes);
    const place = offset === undefined ? "" : ` at byte ${offset}`;
    const shown = excerpt === "" ? "" : ` (${excerpt})`;
    const message = `${action}${place}: expected ${expected}, received ${received}${shown}`;
    super(code, message, { cause: detail.cause, sent: true });
    this.expected = expected;
    this.received = received;
    this.offset = offset;
    this.excerpt = excerpt;
  }
}

function hex(bytes: Uint8Array): string {
  const shown = Array.from(
    bytes.subarray(0, EXCERPT),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join(" ");
  return bytes.length > EXCERPT ? `${shown} …` : shown;
}

/** A limit was reached; `limit` names the option that sets it. */
export class LimitError extends RcspError {
  /** `LimitError`. */
  override readonly name: string = "LimitError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "limit-reached";
  /** The option that sets this limit, such as `maxPayload`. */
  readonly limit: string;
  /** Its value. */
  readonly max: number;

  /** `sent`: `true` if received data exceeded the limit. */
  constructor(message: string, limit: string, max: number, sent = false) {
    super("limit-reached", message, { sent });
    this.limit = limit;
    this.max = max;
  }
}

/** A time limit has passed. */
export class TimeoutError extends RcspError {
  /** `TimeoutError`. */
  override readonly name: string = "TimeoutError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "timeout";
  /** The time limit, in milliseconds. */
  readonly timeout: number;

  /** `sent` defaults to `false`. */
  constructor(message: string, timeout: number, sent = false) {
    super("timeout", message, { sent });
    this.timeout = timeout;
  }
}

/** The `Error` object of an error response: both may be missing or null (confirmed). */
export interface ErrorBody {
  /** The server's code; its type is not documented publicly. */
  readonly Code?: unknown;
  /** The server's message. */
  readonly Message?: unknown;
}

/**
 * The server answered a command with an error. A server's handler throws one to answer with its
 * `errorCode` and `errorMessage` as `Code` and `Message`.
 */
export class CommandError extends RcspError {
  /** `CommandError`. */
  override readonly name: string = "CommandError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "command-failed";
  /** The server's `Error.Code` as received; `undefined` if missing or null. */
  readonly errorCode: unknown;
  /** The server's `Error.Message`; `undefined` if missing, null or not a string. */
  readonly errorMessage: string | undefined;
  /** The command, if known. */
  readonly command: string | undefined;
  /** Its `TrackId`, if known. */
  readonly trackId: string | undefined;

  /** `body` is the `Error` object of the response. */
  constructor(body: ErrorBody, about: { command?: string; trackId?: string } = {}) {
    const errorMessage = typeof body.Message === "string" ? body.Message : undefined;
    const errorCode = body.Code ?? undefined;
    const code = errorCode === undefined ? "" : ` [${show(errorCode)}]`;
    const sentence = errorMessage ?? "the server gave no message";
    super("command-failed", `${about.command ?? "Command"} failed${code}: ${sentence}`, {
      sent: true,
    });
    this.errorCode = errorCode;
    this.errorMessage = errorMessage;
    this.command = about.command;
    this.trackId = about.trackId;
  }
}

function show(code: unknown): string {
  if (typeof code !== "object") return String(code);
  try {
    return JSON.stringify(code);
  } catch {
    // Nested too deep, or without JSON: still report the error itself.
    return "an object";
  }
}
