/**
 * A server without JSON on the runtime's raw sockets: it copies the `TrackId` of each command, which
 * stands at a place that it knows, into bytes that are ready. No client has to wait for it for long, so
 * what is measured against it is the client.
 */

import { HEADER_SIZE, PayloadType, writeHeader } from "../../src/wire/mod.ts";
import { aroundTrackId, FLOOD, responseJson } from "../support/wire.ts";
import { Backlog, type OnBytes, type RawEnd } from "./raw.ts";

const text = new TextEncoder();
const LIST = aroundTrackId("ListDevices").map((part) => part.length) as [number, number];
const FLOOD_COMMAND = aroundTrackId("Flood").map((part) => part.length) as [number, number];
const QUOTE = 0x22;
// `{"Command":"` and then the first letter of the name.
const NAME_AT = 12;
const [LETTER_L, LETTER_F] = text.encode("LF");

const [listBefore, listAfter] = responseJson("?").split("?").map((part) => text.encode(part)) as [
  Uint8Array,
  Uint8Array,
];
const [floodBefore, floodAfter] = ['{"TrackId":"', '"}'].map((part) => text.encode(part)) as [
  Uint8Array,
  Uint8Array,
];

/** Serves one client. */
export function servePlainly(end: RawEnd): OnBytes {
  const rest = new Backlog();
  let out = new Uint8Array(256 * 1024);
  let filled = 0;
  return (bytes) => {
    if (rest.length > 0) {
      rest.add(bytes);
      const all = rest.peek();
      rest.drop(take(all));
    } else {
      const taken = take(bytes);
      if (taken < bytes.length) rest.add(bytes.subarray(taken));
    }
    if (filled > 0) end.write(out.slice(0, filled));
    filled = 0;
  };

  /** Answers all commands that are complete; gives the bytes that they took. */
  function take(bytes: Uint8Array): number {
    let at = 0;
    while (at + HEADER_SIZE <= bytes.length) {
      const body = at + HEADER_SIZE;
      const next = body + (bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16);
      if (next > bytes.length) break;
      answer(bytes, body);
      at = next;
    }
    return at;
  }

  function answer(bytes: Uint8Array, body: number): void {
    const letter = bytes[body + NAME_AT];
    if (letter !== LETTER_L && letter !== LETTER_F) throw new Error("There is no such command");
    const flood = letter === LETTER_F;
    const start = body + (flood ? FLOOD_COMMAND : LIST)[0];
    let stop = start;
    while (bytes[stop] !== QUOTE) stop++;
    if (flood) put(FLOOD);
    const before = flood ? floodBefore : listBefore;
    const after = flood ? floodAfter : listAfter;
    const payloadSize = before.length + stop - start + after.length;
    reserve(HEADER_SIZE + payloadSize);
    writeHeader(out, filled, { type: PayloadType.ResponseOk, payloadSize });
    filled += HEADER_SIZE;
    put(before);
    for (let i = start; i < stop; i++) out[filled++] = bytes[i]!;
    put(after);
  }

  function put(bytes: Uint8Array): void {
    reserve(bytes.length);
    out.set(bytes, filled);
    filled += bytes.length;
  }

  function reserve(size: number): void {
    if (filled + size <= out.length) return;
    const grown = new Uint8Array(Math.max(filled + size, out.length * 2));
    grown.set(out.subarray(0, filled));
    out = grown;
  }
}
