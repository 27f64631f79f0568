import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeCommand, encodeArguments, encodeCommand } from "../src/message/command.ts";
import { decodeEvent, encodeEvent, type OutgoingEvent } from "../src/message/event.ts";
import { type JsonObject, parseBody } from "../src/message/json.ts";
import {
  encodeError,
  encodeResponse,
  readError,
  readResponse,
  readTrackId,
} from "../src/message/response.ts";
import { DIALECT } from "../src/dialect.ts";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { encodeFrame, FrameBatch } from "../src/wire/encoder.ts";
import { PayloadType } from "../src/wire/header.ts";
import { test } from "./support/test.ts";

const RUNS = 500;
const type = fc.constantFrom(...Object.values(PayloadType));
const frames = fc.array(fc.tuple(type, fc.uint8Array({ maxLength: 300 })), { maxLength: 20 });
const json = fc.dictionary(
  fc.string({ unit: "binary" }),
  fc.jsonValue({ maxDepth: 3 }),
) as fc.Arbitrary<
  JsonObject
>;
const text = fc.string({ unit: "binary" });
const encoder = new TextEncoder();

/** The value after a JSON round trip: `-0` becomes `0`, and the prototype plain. */
function normal<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

function parse(json: string): JsonObject {
  return parseBody(encoder.encode(json), 64);
}

test("any split of any stream of frames decodes to the same frames", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 0, max: 80 })), (sent, sizes) => {
      const stream = Uint8Array.from(sent.flatMap((frame) => [...encodeFrame(...frame)]));
      const received: [PayloadType, Uint8Array][] = [];
      const decoder = new FrameDecoder();
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        // One buffer for all chunks, as an adapter may use.
        decoder.push(stream.slice(at, at + size), (type, payload) => {
          received.push([type, payload.slice()]);
        });
        at += size;
      }
      decoder.end();
      assertEquals(received, sent);
    }),
    { numRuns: RUNS },
  );
});

test("a batch is the concatenation of its frames", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(type, text)), (sent) => {
      const batch = new FrameBatch();
      for (const frame of sent) batch.add(...frame);
      const expected = Uint8Array.from(sent.flatMap((frame) => [...encodeFrame(...frame)]));
      assertEquals(batch.bytes.slice(), expected);
    }),
    { numRuns: RUNS },
  );
});

test("a command that is encoded and decoded is the same command", () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), json, (name, trackId, version, args) => {
      const encoded = encodeCommand(name, String(trackId), version, encodeArguments(args));
      const { Command, TrackId, Version, Arguments } = decodeCommand(parse(encoded));
      assertEquals([Command, TrackId, Version], [name, String(trackId), version]);
      assertEquals(Arguments, normal(args));
    }),
    { numRuns: RUNS },
  );
});

test("a response that is encoded and decoded is the same response", () => {
  fc.assert(
    fc.property(
      text,
      json,
      fc.option(fc.oneof(text, fc.integer())),
      text,
      (id, data, Code, Message) => {
        const ok = parse(encodeResponse(id, data, DIALECT));
        assertEquals(readTrackId(ok, DIALECT), id);
        assertEquals(readResponse(ok), normal(data));
        const refusal = parse(encodeError(id, { Code, Message }, DIALECT));
        assertEquals(readTrackId(refusal, DIALECT), id);
        assertEquals(readError(refusal), { Code, Message });
      },
    ),
    { numRuns: RUNS },
  );
});

test("an event that is encoded and decoded is the same event", () => {
  fc.assert(
    fc.property(
      text,
      text,
      fc.oneof(fc.integer(), text),
      json,
      (publisher, topic, deviceId, data) => {
        const event: OutgoingEvent = { publisher, topic, deviceId, data };
        const body = parse(encodeEvent(event, DIALECT));
        const { raw: _raw, receivedAt, ...decoded } = decodeEvent(body, DIALECT, 9);
        assertEquals(receivedAt, 9);
        assertEquals(decoded, { publisher, topic, deviceId, data: normal(data) });
      },
    ),
    { numRuns: RUNS },
  );
});
