/** Fuzz target for the decoders of frame bodies. */

import { DIALECT } from "../../src/dialect.ts";
import { ProtocolError, RcspError } from "../../src/errors.ts";
import { decodeCommand } from "../../src/message/command.ts";
import { decodeEvent, findPressType, matches } from "../../src/message/event.ts";
import { type JsonObject, parseBody } from "../../src/message/json.ts";
import { readError, readResponse, readTrackId } from "../../src/message/response.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { BODIES, utf8 } from "./frames.ts";
import { Mutator } from "./mutator.ts";
import { referenceBody } from "./reference.ts";
import { must, type Target } from "./target.ts";

const SEEDS = BODIES.map(utf8);

/** Text that is known to break JSON parsers. */
const PIECES: readonly Uint8Array[] = [
  ...["null", "true", "-0", "1e400", "9007199254740993", "[", "]", "{", "}", '"', "\\", ",", ":"],
  ...['"__proto__":{"polluted":1},', '"constructor":', '"then":', '"TrackId":', '"Error":'],
  ...['"Response":[]', '"Command":1,', '"TrackId":1,', "\ufeff", "\u0000", '\\ud800"', "\\u0000"],
  ...["[".repeat(70), "[".repeat(70) + "]".repeat(70), '{"a":'.repeat(70), "SinglePress"],
].map(utf8).concat([[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5], [0xf0, 0x9f, 0xa7]].map(
  (bytes) => Uint8Array.from(bytes),
));

const READERS: readonly ((body: JsonObject) => unknown)[] = [
  decodeCommand,
  (body) => readTrackId(body, DIALECT),
  readResponse,
  readError,
  (body) => matches(decodeEvent(body, DIALECT, 0), { publisher: "P", topic: "T", deviceId: 1 }),
  findPressType,
];

export function bodyTarget(): Target {
  const mutator = new Mutator();
  return {
    name: "bodies",
    weight: 2,
    limits: [1, 3, 64],
    make(random, limit) {
      mutator.begin(random, limit);
      mutator.add(SEEDS[randomInteger(random, 0, SEEDS.length - 1)]!);
      const changes = randomInteger(random, 1, 3);
      for (let i = 0; i < changes; i++) {
        if (random() < 0.5) mutator.changeBytes(0);
        else mutator.insert(PIECES[randomInteger(random, 0, PIECES.length - 1)]!, 0);
      }
      return { bytes: mutator.bytes, mutated: 1 };
    },
    check(bytes, _random, maxDepth): string {
      const expected = referenceBody(bytes, maxDepth);
      let body: JsonObject;
      try {
        body = parseBody(bytes, maxDepth);
      } catch (error) {
        if (!(error instanceof RcspError)) throw error;
        const { codes = [] } = expected;
        must(codes.includes(error.code), () => `${error.code} came, not one of [${codes}]`);
        return error.code;
      }
      must(expected.value !== undefined, () => `a body was taken that is ${expected.codes}`);
      must(
        JSON.stringify(body) === JSON.stringify(expected.value),
        () => "the body is not as it was sent",
      );
      return READERS.map((read) => outcomeOf(read, body)).find((code) => code !== "clean") ??
        "clean";
    },
  };
}

function outcomeOf(read: (body: JsonObject) => unknown, body: JsonObject): string {
  try {
    read(body);
    return "clean";
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "bad-shape") return error.code;
    throw error;
  }
}
