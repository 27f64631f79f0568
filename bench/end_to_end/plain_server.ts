/**
 * A server without JSON on raw sockets: it copies the `TrackId` of each command into an encoded response.
 * It is never the bottleneck, so the client is what is measured.
 */

import { HEADER_SIZE, PayloadType, writeHeader } from "../../src/wire/mod.ts";
import { commandJson, FLOOD, responseJson } from "./messages.ts";
import { Backlog, type OnBytes, type RawSocket } from "./raw_socket.ts";

const text = new TextEncoder();
const QUOTE = 0x22;
// Offset of the first letter of the name in `{"Command":"…`.
const NAME_AT = 12;
const FIRST_LETTER_OF_FLOOD = 0x46;

/** Offset of the `TrackId` in a command, and the bytes of the response around it. */
interface Reply {
  readonly trackIdAt: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const LIST = reply("ListDevices", responseJson("?"));
const FLOOD_REPLY = reply("Flood", '{"TrackId":"?"}');

function reply(name: string, response: string): Reply {
  const [before, after] = response.split("?").map((part) => text.encode(part));
  return { trackIdAt: commandJson(name, "?").indexOf("?"), before: before!, after: after! };
}

/** Serves one client. */
export function servePlain(socket: RawSocket): OnBytes {
  const rest = new Backlog();
  let out = new Uint8Array(256 * 1024);
  let filled = 0;
  return (bytes) => {
    if (rest.length > 0) {
      rest.add(bytes);
      rest.drop(answerAll(rest.peek()));
    } else {
      const done = answerAll(bytes);
      if (done < bytes.length) rest.add(bytes.subarray(done));
    }
    if (filled > 0) socket.write(out.slice(0, filled));
    filled = 0;
  };

  /** Answers all complete commands; returns their size. */
  function answerAll(bytes: Uint8Array): number {
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
    const flood = bytes[body + NAME_AT] === FIRST_LETTER_OF_FLOOD;
    const { trackIdAt, before, after } = flood ? FLOOD_REPLY : LIST;
    const start = body + trackIdAt;
    let stop = start;
    while (bytes[stop] !== QUOTE) stop++;
    if (flood) put(FLOOD);
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
