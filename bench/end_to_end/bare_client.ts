/**
 * A client of about a hundred lines on raw sockets: a callback per event, responses matched in order,
 * one write per turn. It has no limits, timeouts, signals, reconnect or useful errors. It shows what a
 * client with all of these can reach.
 */

import type { RawSocket } from "./raw_socket.ts";
import { rawSockets } from "./raw_sockets.ts";

/** A parsed message. */
type Message = { readonly [name: string]: unknown };

interface Call {
  readonly trackId: string;
  readonly resolve: (response: Message) => void;
  readonly reject: (error: Error) => void;
}

const HEADER = 8;
const COMMAND = 1;
const RESPONSE_OK = 2;
const EVENT = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The client. */
export class BareClient {
  /** Called for each event. */
  onEvent: (event: Message) => void = () => {};
  #socket!: RawSocket;
  #trackId = 0;
  readonly #calls: Call[] = [];
  #firstCall = 0;
  #out = new Uint8Array(64 * 1024);
  #outSize = 0;
  #in = new Uint8Array(64 * 1024);
  #inSize = 0;

  /** Connects to a server on this machine. */
  static async connect(port: number): Promise<BareClient> {
    const client = new BareClient();
    client.#socket = await (await rawSockets()).connect(port, (bytes) => client.#receive(bytes));
    return client;
  }

  /** Sends a command; resolves with its response. */
  call(name: string): Promise<Message> {
    return new Promise((resolve, reject) => {
      const trackId = String(++this.#trackId);
      this.#calls.push({ trackId, resolve, reject });
      this.#send(JSON.stringify({ Command: name, TrackId: trackId, Version: 1 }));
    });
  }

  #send(json: string): void {
    if (this.#outSize === 0) queueMicrotask(() => this.#flush());
    const start = this.#outSize;
    const body = start + HEADER;
    this.#out = withRoom(this.#out, start, body + json.length * 3);
    const size = encoder.encodeInto(json, this.#out.subarray(body)).written;
    this.#out.set([0xdc, 1, HEADER, COMMAND, size, size >>> 8, size >>> 16, size >>> 24], start);
    this.#outSize = body + size;
  }

  #flush(): void {
    this.#socket.write(this.#out.slice(0, this.#outSize));
    this.#outSize = 0;
  }

  #receive(chunk: Uint8Array): void {
    if (this.#inSize > 0) {
      const size = this.#inSize + chunk.length;
      this.#in = withRoom(this.#in, this.#inSize, size);
      this.#in.set(chunk, this.#inSize);
      this.#inSize = 0;
      chunk = this.#in.subarray(0, size);
    }
    let at = 0;
    while (chunk.length - at >= HEADER) {
      if (chunk[at] !== 0xdc || chunk[at + 1] !== 1 || chunk[at + 2] !== HEADER) {
        throw new Error("Invalid header");
      }
      const body = at + HEADER;
      const next = body +
        (chunk[at + 4]! | chunk[at + 5]! << 8 | chunk[at + 6]! << 16 | chunk[at + 7]! << 24);
      if (next > chunk.length) break;
      this.#dispatch(chunk[at + 3]!, JSON.parse(decoder.decode(chunk.subarray(body, next))));
      at = next;
    }
    if (at === chunk.length) return;
    this.#inSize = chunk.length - at;
    this.#in = withRoom(this.#in, 0, this.#inSize);
    this.#in.set(chunk.subarray(at));
  }

  #dispatch(type: number, message: Message): void {
    if (type === EVENT) return this.onEvent(message);
    const call = this.#calls[this.#firstCall++]!;
    if (this.#firstCall === this.#calls.length) {
      this.#calls.length = 0;
      this.#firstCall = 0;
    }
    if (type === RESPONSE_OK && message["TrackId"] === call.trackId) {
      call.resolve(message["Response"] as Message);
    } else {
      call.reject(new Error(`Command ${call.trackId} failed: ${JSON.stringify(message)}`));
    }
  }
}

/** Returns a buffer of at least `size` bytes that begins with the first `used` bytes of `buffer`. */
function withRoom(buffer: Uint8Array<ArrayBuffer>, used: number, size: number) {
  if (size <= buffer.length) return buffer;
  const grown = new Uint8Array(Math.max(size, buffer.length * 2));
  grown.set(buffer.subarray(0, used));
  return grown;
}
