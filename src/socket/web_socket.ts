/**
 * WebSockets as byte streams.
 *
 * @module
 */

import { ConnectionError, LimitError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { assertInteger } from "../limits.ts";
import { describeValue } from "../message/json.ts";
import { CLOCK, type Clock, sleep } from "../timers.ts";
import { callUserCallback } from "../user_callback.ts";
import { connectionError } from "./errors.ts";
import { type RawSocket, type Receiver, WRITTEN } from "./socket.ts";
import { closeError, type CloseInfo } from "./web_socket_close.ts";

/** What is used of a WebSocket: that of browsers, Deno, Bun and Node, or of the package `ws`. */
export interface WebSocketLike {
  /** Is set to `arraybuffer`. */
  binaryType: string;
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Bytes that are not sent yet. */
  readonly bufferedAmount: number;
  /** The sub-protocol that the server accepted, or an empty string. */
  readonly protocol: string;
  /** Sends a text message; takes a `Uint8Array` too. */
  send(text: string): void;
  /** Begins to close. */
  close(code?: number, reason?: string): void;
  /** Adds a listener. */
  addEventListener(
    type: "open" | "message" | "error" | "close",
    listener: (event: object) => void,
  ): void;
}

/** Options of a WebSocket as a byte stream. */
export interface WebSocketOptions {
  /**
   * Maximum unread bytes. A WebSocket cannot be paused: above this it is closed with code 1009, or 4009
   * where the runtime does not permit that. Default: 16 MiB.
   */
  readonly maxBuffered?: number | undefined;
  /**
   * Receives each text message, and the WebSocket to answer with. An error that it throws is uncaught.
   * Default: a text message closes the connection with code 1003 or 4003.
   */
  readonly onText?: ((text: string, webSocket: WebSocketLike) => void) | undefined;
  /** The other end, for messages. Default: `a WebSocket`. */
  readonly remote?: string | undefined;
}

/** Further options, for tests only. */
export interface WebSocketTestHooks {
  readonly clock?: Clock;
}

const [CONNECTING, OPEN] = [0, 1];
const MAX_BUFFERED = 16 * 1024 * 1024;
/** What a queued chunk costs besides its bytes. */
const CHUNK_OVERHEAD = 64;
/** Bytes per message: servers often limit them to 64 KiB. */
const MESSAGE_BYTES = 64 * 1024;
/** Unsent bytes above which a write waits. */
const WRITE_MARK = 64 * 1024;
/** Milliseconds between two looks at the unsent bytes: there is no event for it. */
const [FIRST_POLL, LAST_POLL] = [1, 16];
/** Milliseconds that the other side has to answer a close. */
const CLOSE_TIMEOUT = 2_000;
/** Close codes that a browser, Deno and Node permit only with 3000 added. */
const [BAD_DATA, TOO_MUCH, NORMAL] = [1003, 1009, 1000];

/** A WebSocket without the guarantees of `Socket`. Its `closeWrite()` ends both directions. */
export class RawWebSocket implements RawSocket {
  readonly remote: string;
  /** Resolves when it is open; rejects if it cannot be opened. */
  readonly opened: Promise<void>;
  readonly closed: Promise<void>;
  readonly #webSocket: WebSocketLike;
  readonly #onText: WebSocketOptions["onText"];
  readonly #maxBuffered: number;
  readonly #clock: Clock;
  readonly #open = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<void>();
  /** Aborts at the end, for waiting writes. */
  readonly #ending = new AbortController();
  readonly #unread = new Fifo<Uint8Array>();
  #unreadBytes = 0;
  #receiver: Receiver | undefined;
  #paused = true;
  #ended = false;
  #failure: ConnectionError | undefined;
  #closeTimer: unknown;
  /** What the runtime said of the last error. */
  #detail = "";

  constructor(webSocket: WebSocketLike, options: WebSocketOptions) {
    const { clock = CLOCK } = options as WebSocketTestHooks;
    const { remote = "a WebSocket", onText } = options;
    this.#webSocket = webSocket;
    this.remote = remote;
    this.#onText = onText;
    this.#maxBuffered = checkMaxBuffered(options.maxBuffered);
    this.#clock = clock;
    this.opened = this.#open.promise;
    this.opened.catch(() => {});
    this.closed = this.#end.promise;
    webSocket.binaryType = "arraybuffer";
    if (webSocket.readyState === OPEN) this.#open.resolve();
    webSocket.addEventListener("open", () => this.#open.resolve());
    webSocket.addEventListener("message", (event) => {
      this.#onMessage((event as { data: unknown }).data);
    });
    webSocket.addEventListener("error", (event) => {
      const { message = "" } = event as { message?: string };
      const { url } = webSocket as { url?: string };
      // Bun's message contains the URL, and its query may be secret.
      this.#detail = url ? message.replaceAll(url, this.remote) : message;
    });
    webSocket.addEventListener("close", (event) => this.#onClose(event as CloseInfo));
    if (webSocket.readyState > OPEN) this.#onClose({ code: NORMAL, reason: "" });
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(this.#deliver);
  }

  write(bytes: Uint8Array): Promise<void> {
    const { readyState, bufferedAmount } = this.#webSocket;
    const small = bytes.length <= MESSAGE_BYTES;
    if (!small || readyState !== OPEN || bufferedAmount > WRITE_MARK) return this.#writeAll(bytes);
    this.#send(bytes);
    return this.#webSocket.bufferedAmount > WRITE_MARK ? this.#belowMark() : WRITTEN;
  }

  /** There is no half close: ends both directions, after what was written. */
  closeWrite(): Promise<void> {
    this.#closeWith(NORMAL, "");
    return Promise.resolve();
  }

  close(): void {
    if (!this.#ended) this.#closeNow(NORMAL, "");
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    if (this.#webSocket.readyState === CONNECTING) await this.opened;
    for (let start = 0; start < bytes.length; start += MESSAGE_BYTES) {
      await this.#belowMark();
      this.#send(bytes.subarray(start, start + MESSAGE_BYTES));
    }
    await this.#belowMark();
  }

  /**
   * Sends a copy: not every runtime copies, and the write is over before all is sent. `slice()` of a
   * Buffer shares its memory.
   */
  #send(bytes: Uint8Array): void {
    (this.#webSocket as unknown as { send(bytes: Uint8Array): void }).send(
      new Uint8Array(bytes),
    );
  }

  async #belowMark(): Promise<void> {
    for (let delay = FIRST_POLL;; delay = Math.min(delay * 2, LAST_POLL)) {
      if (this.#webSocket.readyState !== OPEN) {
        // Why is known only at the end.
        await this.closed;
        throw this.#failure ?? connectionError("connection-reset", "transfer", this.remote);
      }
      if (this.#webSocket.bufferedAmount <= WRITE_MARK) return;
      await sleep(this.#clock, delay, this.#ending.signal);
    }
  }

  #onMessage(data: unknown): void {
    if (this.#failure !== undefined) return;
    if (typeof data === "string" && this.#onText !== undefined) {
      const onText = this.#onText;
      callUserCallback(() => onText(data, this.#webSocket));
      return;
    }
    const bytes = toBytes(data);
    if (bytes === undefined) {
      const received = typeof data === "string" ? "text" : describeValue(data);
      this.#break(BAD_DATA, `expected a binary message, received ${received}`);
    } else if (this.#paused || this.#unread.length > 0) this.#keep(bytes);
    else this.#paused = !this.#receiver!.onChunk(bytes);
  }

  #keep(bytes: Uint8Array): void {
    const size = bytes.length + CHUNK_OVERHEAD;
    if (this.#unreadBytes + size > this.#maxBuffered) {
      const message = `more than 'maxBuffered' (${this.#maxBuffered}) bytes are unread`;
      const cause = new LimitError(message, "maxBuffered", this.#maxBuffered, true);
      this.#break(TOO_MUCH, message, { cause });
      return;
    }
    this.#unreadBytes += size;
    this.#unread.push(bytes);
  }

  /** Ends the connection because of what was received. */
  #break(code: number, reason: string, options?: ErrorOptions): void {
    const message = `Lost connection to ${this.remote}: ${reason}`;
    this.#failure = new ConnectionError("connection-failed", message, options);
    this.#closeNow(code, reason);
    this.#deliver();
  }

  /** Closes, even if the other side does not answer. */
  #closeNow(code: number, reason: string): void {
    this.#closeWith(code, reason);
    this.#closeTimer ??= this.#clock.set(
      () => {
        (this.#webSocket as { terminate?: () => void }).terminate?.();
        this.#onClose({ code: NORMAL, reason: "" });
      },
      CLOSE_TIMEOUT,
      true,
    );
  }

  #closeWith(code: number, reason: string): void {
    try {
      this.#webSocket.close(code, reason);
    } catch {
      this.#webSocket.close(code + 3_000, reason);
    }
  }

  #onClose({ code, reason }: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.clear(this.#closeTimer);
    this.#failure ??= closeError(this.remote, { code, reason }, this.#detail);
    const why = this.#detail === "" ? `WebSocket close code ${code || 1006}` : this.#detail;
    const cause = new Error(why);
    this.#open.reject(connectionError("connection-failed", "connect", this.remote, { cause }));
    this.#ending.abort();
    this.#end.resolve();
    this.#deliver();
  }

  readonly #deliver = (): void => {
    while (!this.#paused) {
      const chunk = this.#unread.shift();
      if (chunk === undefined) break;
      this.#unreadBytes -= chunk.length + CHUNK_OVERHEAD;
      this.#paused = !this.#receiver!.onChunk(chunk);
    }
    if (this.#unread.length > 0) return;
    if (this.#failure !== undefined) this.#receiver?.onError(this.#failure);
    else if (this.#ended) this.#receiver?.onEnd();
  };
}

/** @throws {RangeError} If it is not an integer from 1 on. */
export function checkMaxBuffered(given: number = MAX_BUFFERED): number {
  return assertInteger("maxBuffered", given, 1, Number.MAX_SAFE_INTEGER);
}

function toBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (!ArrayBuffer.isView(data)) return undefined;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
