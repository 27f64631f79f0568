/**
 * OSC packets from outside, read strictly.
 *
 * @module
 */

import type { OscArgument, OscMessage } from "./messages.ts";

/** Longest packet that is read, in bytes. */
const LONGEST = 4_096;
const MOST_MESSAGES = 64;
const MAX_DEPTH = 4;
const BUNDLE = "#bundle";
const strict = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a packet into its messages; bundles are opened, and their time tags ignored.
 *
 * @throws {TypeError} If it is not one.
 */
export function decodePacket(packet: Uint8Array): OscMessage[] {
  if (packet.length > LONGEST) throw new TypeError(`${packet.length} bytes: at most ${LONGEST}`);
  const messages: OscMessage[] = [];
  read(packet, messages, 0);
  return messages;
}

function read(packet: Uint8Array, messages: OscMessage[], depth: number): void {
  if (packet.length === 0 || packet.length % 4 !== 0) {
    throw new TypeError(`its ${packet.length} bytes are not a multiple of 4`);
  }
  const reader = new Reader(packet);
  const address = reader.string();
  if (address !== BUNDLE) {
    messages.push(readMessage(address, reader));
    if (messages.length > MOST_MESSAGES) throw new TypeError(`more than ${MOST_MESSAGES} messages`);
    return;
  }
  if (depth === MAX_DEPTH) throw new TypeError(`bundles more than ${MAX_DEPTH} deep`);
  reader.bytes(8);
  while (!reader.isAtEnd) read(reader.bytes(reader.int()), messages, depth + 1);
}

function readMessage(address: string, reader: Reader): OscMessage {
  if (!address.startsWith("/")) throw new TypeError("its address does not begin with '/'");
  const tags = reader.isAtEnd ? "," : reader.string();
  if (!tags.startsWith(",")) throw new TypeError("it has no type tags");
  const args = Array.from(tags.slice(1), (tag): OscArgument => {
    if (tag === "i") return { type: tag, value: reader.int() };
    if (tag === "f") return { type: tag, value: reader.float() };
    if (tag === "s") return { type: tag, value: reader.string() };
    throw new TypeError(`it has an argument that is not i, f or s`);
  });
  if (!reader.isAtEnd) throw new TypeError("it is longer than its type tags say");
  return { address, args };
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length;
    if (length < 0 || end > this.#bytes.length) throw new TypeError("it is cut");
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  int(): number {
    const { byteLength } = this.bytes(4);
    return this.#view.getInt32(this.#offset - byteLength);
  }

  float(): number {
    const { byteLength } = this.bytes(4);
    return this.#view.getFloat32(this.#offset - byteLength);
  }

  string(): string {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw new TypeError("it has a text without an end");
    const raw = this.bytes(Math.ceil((end - this.#offset + 1) / 4) * 4);
    try {
      return strict.decode(raw.subarray(0, raw.indexOf(0)));
    } catch {
      throw new TypeError("it has a text that is not UTF-8");
    }
  }
}
