/** Builds frames without the encoder under test, and splits them. */

import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { ProtocolError, type ProtocolErrorCode } from "../../src/errors.ts";
import { FrameDecoder, type FrameDecoderOptions } from "../../src/wire/decoder.ts";

/** A decoded frame, with a copy of its payload. */
export interface ReceivedFrame {
  type: number;
  payload: Uint8Array;
}

/** Result of decoding a stream. */
export interface Outcome {
  frames: ReceivedFrame[];
  /** What `push` or `end` threw, if they did. */
  error: unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** UTF-8 as text. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Bytes from hex digits; spaces do not matter. */
export function fromHex(digits: string): Uint8Array {
  const pairs = digits.replaceAll(" ", "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

/** Bytes as hex digits without spaces. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A header, valid by default. */
export function header(
  type: number,
  size: number,
  wrong: { marker?: number; version?: number; headerSize?: number } = {},
): Uint8Array {
  const { marker = 0xdc, version = 1, headerSize = 8 } = wrong;
  const bytes = Uint8Array.of(marker, version, headerSize, type, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(4, size, true);
  return bytes;
}

/** A frame; an object becomes JSON. */
export function frame(type: number, body: string | Uint8Array | object): Uint8Array {
  const bytes = body instanceof Uint8Array
    ? body
    : utf8(typeof body === "string" ? body : JSON.stringify(body));
  return concat([header(type, bytes.length), bytes]);
}

/** One frame of every known shape, as client and server send them. */
export const conversation: { type: number; body: string }[] = [
  { type: 1, body: '{"Command":"ListDevices","TrackId":"1","Version":1}' },
  { type: 2, body: '{"TrackId":"1","Response":{"Devices":[{"DeviceId":1},{"DeviceId":2}]}}' },
  {
    type: 1,
    body: '{"Command":"SetColorLed","TrackId":"2","Version":1,"Arguments":' +
      '{"DeviceId":1,"LedId":"RingLed","Red":255,"Green":0,"Blue":0}}',
  },
  { type: 2, body: '{"TrackId":"2"}' },
  {
    type: 1,
    body: '{"Command":"GetDeviceInfo","TrackId":"3","Version":1,"Arguments":{"DeviceId":9}}',
  },
  { type: 3, body: '{"TrackId":"3","Error":{"Code":17,"Message":"Gerät \u{1f9e4} fehlt"}}' },
  { type: 3, body: '{"Error":null}' },
  {
    type: 4,
    body: '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":1,' +
      '"Data":{"PressType":"LongPress"}}',
  },
  { type: 2, body: '{"TrackId":null,"Response":null}' },
  { type: 4, body: "" },
  { type: 4, body: "{}" },
];

/** Feeds chunks to a new decoder, then ends it. */
export function feed(chunks: Iterable<Uint8Array>, options?: FrameDecoderOptions): Outcome {
  const decoder = new FrameDecoder(options);
  const frames: ReceivedFrame[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk, (type, payload) => frames.push({ type, payload: payload.slice() }));
    }
    decoder.end();
  } catch (error) {
    return { frames, error };
  }
  return { frames, error: undefined };
}

/** Splits bytes at the given offsets. */
export function cutAt(bytes: Uint8Array, ...offsets: number[]): Uint8Array[] {
  const ends = [...offsets, bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Splits bytes into chunks of one byte. */
export function oneByOne(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** Splits bytes into chunks of random sizes, some of them empty. */
export function cutAtRandom(
  bytes: Uint8Array,
  random: () => number,
  largest: number,
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Math.floor(random() * (largest + 1));
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Pseudorandom numbers from 0 to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Asserts that a function throws a `ProtocolError` with this code. */
export function assertProtocolError(run: () => unknown, code: ProtocolErrorCode): ProtocolError {
  const error = assertThrows(run, ProtocolError);
  assertEquals(error.code, code, error.message);
  return error;
}
