/**
 * Every error of this module, in one place. Each has a stable `code`, made for programs; the message
 * is made for people and may change.
 *
 * Misuse (a wrong argument) is a `TypeError` or a `RangeError`, an abort rejects with the signal's
 * own reason, and all else is an {@link RcspError}.
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
   * Of a call that rejects with it: whether the command was handed to a socket, so that the server may
   * have carried it out. It is never sent a second time.
   */
  readonly sent: boolean;

  /** Makes an error with a stable code, a message for people, and what caused it. */
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

/** What can go wrong with a connection. */
export type ConnectionErrorCode =
  /** Nobody listens there. */
  | "connection-refused"
  /** The host name is not known. */
  | "host-not-found"
  /** No way leads to the host. */
  | "host-unreachable"
  /** The other side cut the connection, or the network did. */
  | "connection-reset"
  /** The connection has ended. */
  | "connection-closed"
  /** The other side has gone silent: no answer to a heartbeat, or no more of a frame it began. */
  | "connection-stalled"
  /** Listening failed: the port is taken. */
  | "address-in-use"
  /** The runtime or the system forbids it. */
  | "permission-denied"
  /** Anything else: see `cause`. */
  | "connection-failed";

/** No connection, or no more. */
export class ConnectionError extends RcspError {
  /** `ConnectionError`. */
  override readonly name: string = "ConnectionError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: ConnectionErrorCode;

  /** Makes a connection error; `sent` is `false` unless told. */
  constructor(
    code: ConnectionErrorCode,
    message: string,
    options?: ErrorOptions & { sent?: boolean },
  ) {
    super(code, message, options);
  }
}

/** What can be wrong with the bytes or the JSON that the other side sent. */
export type ProtocolErrorCode =
  /** The first byte of a header is not `0xDC`. */
  | "bad-marker"
  /** The second byte of a header is not `1`. */
  | "bad-version"
  /** The third byte of a header is not `8`. */
  | "bad-header-size"
  /** The fourth byte of a header is no known type. */
  | "bad-type"
  /** The stream ended inside a frame. */
  | "cut-frame"
  /** The body is not UTF-8. */
  | "bad-utf8"
  /** The body is not one JSON object. */
  | "bad-json"
  /** A key of the body holds a value of the wrong type. */
  | "bad-shape"
  /** A type that this side must not send: a command from a server, a response from a client. */
  | "unexpected-type"
  /** A response while no command waits for one. */
  | "unexpected-response"
  /** A response with the `TrackId` of another command than the one whose turn it is. */
  | "out-of-step";

/** Where and how the other side broke the protocol. */
export interface ProtocolErrorDetail extends ErrorOptions {
  /** What the protocol wants at this place. */
  expected: string;
  /** What came instead. */
  received: string;
  /** The byte in the received stream at which the bad frame starts, where known. */
  offset?: number | undefined;
  /** The bytes in question; the first 16 are kept, as hex. */
  bytes?: Uint8Array | undefined;
}

const EXCERPT = 16;

/** The other side sent what the protocol does not allow. The connection ends with it. */
export class ProtocolError extends RcspError {
  /** `ProtocolError`. */
  override readonly name: string = "ProtocolError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: ProtocolErrorCode;
  /** What the protocol wants at this place. */
  readonly expected: string;
  /** What came instead. */
  readonly received: string;
  /** The byte in the received stream at which the bad frame starts, where known. */
  readonly offset: number | undefined;
  /** Up to 16 of the bytes in question in hex, such as `47 45 54 20`; empty where there are none. */
  readonly excerpt: string;

  /** Makes a protocol error whose message is `action`, then what was expected and what came. */
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

/** A limit of `src/limits.ts` was reached; its name says which option raises it. */
export class LimitError extends RcspError {
  /** `LimitError`. */
  override readonly name: string = "LimitError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "limit-reached";
  /** The option that sets this limit, such as `maxPayload`. */
  readonly limit: string;
  /** Its value. */
  readonly max: number;

  /** Makes a limit error; `sent` is `true` where what was received goes beyond. */
  constructor(message: string, limit: string, max: number, sent = false) {
    super("limit-reached", message, { sent });
    this.limit = limit;
    this.max = max;
  }
}

/** Nothing came in time. */
export class TimeoutError extends RcspError {
  /** `TimeoutError`. */
  override readonly name: string = "TimeoutError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "timeout";
  /** The time that was allowed, in milliseconds. */
  readonly timeout: number;

  /** Makes a timeout error; `sent` is `false` unless told. */
  constructor(message: string, timeout: number, sent = false) {
    super("timeout", message, { sent });
    this.timeout = timeout;
  }
}

/** The `Error` object of an error response: both may be missing or null (confirmed). */
export interface ErrorBody {
  /** The server's code; its type is in no public text. */
  readonly Code?: unknown;
  /** The server's sentence. */
  readonly Message?: unknown;
}

/**
 * The server answered a command with an error. A server's handler throws one to send one:
 * its `errorCode` and `errorMessage` go out as `Code` and `Message`.
 */
export class CommandError extends RcspError {
  /** `CommandError`. */
  override readonly name: string = "CommandError";
  /** What went wrong, for programs: stable between versions. */
  declare readonly code: "command-failed";
  /** The server's `Error.Code` as it came; `undefined` if missing or null. */
  readonly errorCode: unknown;
  /** The server's `Error.Message`; `undefined` if it is missing, null or no string. */
  readonly errorMessage: string | undefined;
  /** The command that was answered, where known. */
  readonly command: string | undefined;
  /** The `TrackId` of that command, where known. */
  readonly trackId: string | undefined;

  /** Makes the error of an `Error` object, and names the command that it answers. */
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
    // Too deep, or nothing that JSON can say: no reason to lose the error itself.
    return "an object";
  }
}
