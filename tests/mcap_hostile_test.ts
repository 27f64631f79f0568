/** MCAP files that are cut, foreign, huge or hostile: one sentence, no hang, little memory. */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import process from "node:process";
import zlib from "node:zlib";
import { McapRecordBuilder } from "@mcap/core";
import { UsageError } from "../cli/exit_codes.ts";
import { McapReader } from "../cli/recording/mcap_reader.ts";
import { McapEncoder } from "../cli/recording/mcap_encoder.ts";
import { main } from "../cli/main.ts";
import { assertFails, rcsp, testIo } from "./support/cli_io.ts";
import { fileBytes, readIndexed } from "./support/mcap.ts";
import { test } from "./support/test.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The start of a file, then what `write` adds. */
function file(write: (builder: McapRecordBuilder) => void): Uint8Array {
  const builder = new McapRecordBuilder();
  builder.writeMagic();
  builder.writeHeader({ profile: "", library: "" });
  write(builder);
  return builder.buffer;
}

/** A record whose head claims a length. */
function claim(
  opcode: number,
  length: bigint,
  content: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const head = new Uint8Array(9);
  head[0] = opcode;
  new DataView(head.buffer).setBigUint64(1, length, true);
  return concat([head, content]);
}

const START = file(() => {});
const CHANNEL = { id: 1, schemaId: 0, topic: "/a", messageEncoding: "json", metadata: new Map() };
const MESSAGE = { channelId: 1, sequence: 0, logTime: 1n, publishTime: 1n, data: utf8("{}") };
const CHUNK = {
  messageStartTime: 0n,
  messageEndTime: 0n,
  uncompressedSize: 0n,
  uncompressedCrc: 0,
  compression: "",
  records: new Uint8Array(0),
};

const LEFT_OUT = "Damaged chunks and attachments left out of 'x.mcap': ";

/** A complete file of three chunks with a message each. */
function whole(): { bytes: Uint8Array; chunks: Uint8Array[] } {
  const encoder = new McapEncoder();
  const start = encoder.start();
  const id = encoder.addChannel({ topic: "/a", messageEncoding: "json" });
  const chunks = [1n, 2n, 3n].map((time) => {
    encoder.addMessage(id, time, time, utf8(`{"n":${time}}`));
    return encoder.flush();
  });
  return { bytes: concat([start, ...chunks, encoder.end()]), chunks };
}

async function* pieces(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function read(bytes: Uint8Array, size?: number) {
  const reader = new McapReader(pieces(bytes, size), "'x.mcap'");
  const items = await Array.fromAsync(
    reader.items(),
    (item) => item.type === "Message" ? { ...item, data: item.data.slice() } : item,
  );
  return { items, reader };
}

test("a file is read the same in pieces of any size", async () => {
  const { bytes } = whole();
  const expected = await read(bytes);
  assertEquals(expected.items.length, 3);
  for (const size of [1, 2, 3, 7, 64]) {
    const { items, reader } = await read(bytes, size);
    assertEquals(items, expected.items);
    assertEquals([reader.isComplete, reader.warnings, reader.offset], [true, [], bytes.length]);
  }
});

test("a file that is cut anywhere gives every whole chunk before the cut", async () => {
  const { bytes, chunks } = whole();
  let end = concat([START]).length;
  const ends = chunks.map((chunk) => end += chunk.length);
  const encoder = new McapEncoder();
  const offset = encoder.start().length - START.length;
  for (let length = 9; length < bytes.length; length++) {
    const { items, reader } = await read(bytes.subarray(0, length));
    assertEquals(reader.isComplete, false, `${length}`);
    assertEquals(reader.warnings.length, 1, `${length}`);
    // The message index comes after the chunk itself.
    const least = ends.filter((end) => end + offset <= length).length;
    assert(items.length >= least && items.length <= least + 1, `${length}: ${items.length}`);
  }
});

test("a chunk with a wrong checksum is left out, the others are read", async () => {
  const { bytes, chunks } = whole();
  const damaged = bytes.slice();
  const at = chunks[1]!.length + START.length + 80;
  const place = damaged.findIndex((_, i) => i > at && damaged[i] === 0x7b);
  damaged[place + 5]! ^= 1;
  const { items, reader } = await read(damaged);
  assertEquals(items.length, 2);
  assertEquals(reader.warnings, [LEFT_OUT + "1"]);
});

test("a damaged attachment is left out, what follows is read", async () => {
  const about = { name: "c", mediaType: "x", logTime: 1n, createTime: 1n };
  const bytes = file((b) => {
    b.writeChannel(CHANNEL);
    b.writeAttachment({ ...about, data: utf8("calibration") });
    b.writeMessage(MESSAGE);
  });
  bytes[bytes.findIndex((_, i) => new TextDecoder().decode(bytes.subarray(i, i + 3)) === "cal")]!++;
  const { items, reader } = await read(bytes);
  assertEquals(items.map(({ type }) => type), ["Message"]);
  assertStringIncludes(reader.warnings.join(), LEFT_OUT + "1");
});

const inPart: [what: string, sentence: string, bytes: Uint8Array][] = [
  [
    "a chunk of 2^63 bytes",
    "claims 9223372036854775808 bytes",
    concat([START, claim(6, 2n ** 63n)]),
  ],
  ["a message of 4 GiB", "claims 4294967296 bytes", concat([START, claim(5, 2n ** 32n)])],
  [
    "an unknown record of 2^64 - 1 bytes",
    "cut within a record",
    concat([
      START,
      claim(0x90, 2n ** 64n - 1n, new Uint8Array(100)),
    ]),
  ],
  ["a message without a channel", "is damaged", file((b) => b.writeMessage(MESSAGE))],
  ["a message of 3 bytes", "is damaged", concat([START, claim(5, 3n, new Uint8Array(3))])],
  [
    "a channel that changes",
    "a record at byte 56 is damaged",
    file((b) => {
      b.writeChannel(CHANNEL);
      b.writeChannel({ ...CHANNEL, topic: "/b" });
    }),
  ],
  [
    "a string longer than its record",
    "is damaged",
    concat([
      START,
      claim(4, 12n, Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 4)),
    ]),
  ],
  [
    "channels without end",
    "its channels take more than 16.0 MiB",
    file((b) => {
      const topic = "x".repeat(4096);
      for (let id = 0; id < 5_000; id++) b.writeChannel({ ...CHANNEL, id, topic });
    }),
  ],
  [
    "many channels and damaged chunks without end",
    "too many of its chunks are damaged",
    file((b) => {
      const topic = "x".repeat(3_000);
      for (let id = 0; id < 5_000; id++) b.writeChannel({ ...CHANNEL, id, topic });
      for (let i = 0; i < 10_000; i++) b.writeChunk({ ...CHUNK, records: utf8("x") });
    }),
  ],
  [
    "an unknown compression",
    "compressed with 'lz4', which rcsp cannot read",
    file((b) => {
      b.writeChunk({ ...CHUNK, compression: "lz4" });
    }),
  ],
  [
    "a chunk that claims to be huge",
    "a chunk claims 1099511627776 bytes",
    file((b) => {
      b.writeChunk({ ...CHUNK, compression: "zstd", uncompressedSize: 2n ** 40n });
    }),
  ],
];

for (const [what, sentence, bytes] of inPart) {
  test(`info reads a file in part that has ${what}`, async () => {
    const result = await rcsp(["info", "x.mcap"], { files: { "x.mcap": bytes } });
    assertEquals(result.code, 0, result.err);
    assertStringIncludes(result.err, `'x.mcap' is read in part: `);
    assertStringIncludes(result.err, sentence);
    const others = result.err.trimEnd().split("\n").slice(1);
    assert(others.every((line) => line.startsWith(LEFT_OUT)), result.err);
  });
}

const none: [what: string, sentence: string, bytes: Uint8Array | string][] = [
  ["empty", "it is empty", new Uint8Array(0)],
  ["7 bytes long", "it is not an MCAP file", START.subarray(0, 7)],
  ["text", "it is not an MCAP file", '{"rcsp-recording":1}\n'],
  ["all zeros", "it is not an MCAP file", new Uint8Array(10_000)],
];

for (const [what, sentence, bytes] of none) {
  test(`info, recover and replay refuse a file that is ${what}`, async () => {
    for (const command of [["info", "x.mcap"], ["recover", "x.mcap", "y.mcap"]]) {
      const result = await rcsp(command, { files: { "x.mcap": bytes } });
      assertFails(result, 2);
      assertStringIncludes(result.err, `Cannot read 'x.mcap': ${sentence}`);
    }
  });
}

test("chunks that are compressed with zstd are read, and none is larger than it reports", async () => {
  if (zlib.zstdCompressSync === undefined) return;
  const channel = file((b) => b.writeChannel(CHANNEL)).subarray(START.length);
  const message = file((b) => b.writeMessage({ ...MESSAGE, data: new Uint8Array(1_000_000) }));
  const content = concat([channel, message.subarray(START.length)]);
  const records = zlib.zstdCompressSync(content);
  const chunk = { ...CHUNK, compression: "zstd", records };
  const bytes = file((b) => {
    b.writeChunk({ ...chunk, uncompressedSize: BigInt(content.length) });
    b.writeChunk({ ...chunk, uncompressedSize: 1_000n });
    b.writeChunk({ ...chunk, uncompressedSize: 1_000n, records: utf8("not zstd") });
  });
  const { items, reader } = await read(bytes);
  assertEquals(items.map((item) => item.type === "Message" && item.data.length), [1_000_000]);
  assertStringIncludes(reader.warnings.join(), LEFT_OUT + "2");
});

test("a file with any bytes changed is read in part, or refused in one sentence", async () => {
  const random = seeded(7);
  const plain = file((b) => {
    b.writeMetadata({ name: "rcsp", metadata: new Map([["a", "b"]]) });
    b.writeSchema({ id: 1, name: "S", encoding: "jsonschema", data: utf8("{}") });
    b.writeChannel({ ...CHANNEL, schemaId: 1 });
    const about = { name: "c", mediaType: "x", logTime: 1n, createTime: 1n };
    b.writeAttachment({ ...about, data: utf8("{}") });
    for (let i = 0; i < 5; i++) b.writeMessage(MESSAGE);
    b.writeChunk({ ...CHUNK, records: utf8("") });
  });
  for (let round = 0; round < 2_000; round++) {
    const bytes = (round % 2 === 0 ? plain : whole().bytes).slice();
    for (let count = 1 + random(8); count > 0; count--) bytes[random(bytes.length)] = random(256);
    const cut = bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length);
    try {
      const { items, reader } = await read(cut, 1 + random(200));
      assert(items.length < 20, `round ${round}`);
      assert(reader.isComplete || reader.warnings.length > 0, `round ${round}`);
    } catch (error) {
      assert(error instanceof UsageError, `round ${round}: ${error}`);
    }
  }
});

/** Numbers below a bound, the same in each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

test("what steers a terminal is escaped in topics, presses and metadata", async () => {
  const bytes = file((b) => {
    b.writeMetadata({
      name: "rcsp",
      metadata: new Map([["driver", "\x1b[2J"], ["__proto__", "x"]]),
    });
    b.writeChannel({ ...CHANNEL, topic: "/rcsp/press" });
    b.writeMessage({ ...MESSAGE, data: utf8('{"press":"\\u001b]0;x\\u0007","name":"\\u202e"}') });
    b.writeChannel({ ...CHANNEL, id: 2, topic: "/\x1b[31m" });
    b.writeMessage({ ...MESSAGE, channelId: 2 });
  });
  for (const terminal of [true, false]) {
    const { out, code } = await rcsp(["info", "x.mcap"], { files: { "x.mcap": bytes }, terminal });
    assertEquals(code, 0);
    for (const foreign of ["\x1b]", "\x1b[2J", "\x1b[31m", "\u202e"]) {
      assertEquals(out.includes(foreign), false, out);
    }
  }
});

test("times that go backwards, and 65535 channels, do not stop reading", async () => {
  const bytes = file((b) => {
    for (let id = 0; id < 65_535; id++) b.writeChannel({ ...CHANNEL, id, topic: `/${id}` });
    for (const logTime of [5n, 2n ** 64n - 1n, 0n, 7n]) b.writeMessage({ ...MESSAGE, logTime });
  });
  const { out, code } = await rcsp(["info", "x.mcap"], { files: { "x.mcap": bytes } });
  assertEquals(code, 0);
  assertEquals(JSON.parse(out).messages, 4);
});

test("a file of many gigabytes is read in little memory", async () => {
  const chunk = file((b) => {
    b.writeChannel(CHANNEL);
    b.writeChunk({ ...CHUNK, records: new Uint8Array(0) });
  }).subarray(START.length);
  const filler = claim(0x90, 1_000_000n, new Uint8Array(1_000_000));
  let sent = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    yield START;
    for (; sent < 3_000; sent++) {
      yield filler;
      yield chunk;
    }
  }
  const reader = new McapReader(source(), "'x.mcap'");
  const before = residentMemory();
  assertEquals((await Array.fromAsync(reader.items())).length, 0);
  assertEquals(sent, 3_000);
  assertLess(residentMemory() - before, 256 * 1024 * 1024);
});

test("channels and schemas that stand in each chunk again do not stop reading", async () => {
  const schema = { id: 1, name: "S", encoding: "jsonschema", data: new Uint8Array(1_000_000) };
  const bytes = file((b) => {
    for (let i = 0; i < 20; i++) {
      b.writeSchema(schema);
      b.writeChannel({ ...CHANNEL, schemaId: 1 });
      b.writeMessage(MESSAGE);
    }
  });
  const { items, reader } = await read(bytes);
  assertEquals(items.length, 20);
  assertEquals(reader.warnings.map((text) => text.includes("channels take")), [false]);
});

test("info keeps little of many attachments and long presses", async () => {
  const bytes = file((b) => {
    for (let i = 0; i < 3_000; i++) {
      const about = { name: `${i}`, mediaType: "", logTime: 0n, createTime: 0n };
      b.writeAttachment({ ...about, data: new Uint8Array(0) });
    }
    b.writeChannel({ ...CHANNEL, topic: "/rcsp/press" });
    for (const length of [10, 100_000]) {
      b.writeMessage({ ...MESSAGE, data: utf8(`{"press":"${"x".repeat(length)}"}`) });
    }
  });
  const { out } = await rcsp(["info", "x.mcap"], { files: { "x.mcap": bytes } });
  const { attachments, presses, messages } = JSON.parse(out);
  assertEquals([attachments.length, presses.length, messages], [1_000, 1, 2]);
});

test("recover ends at once where the disk is full, however much there is to read", async () => {
  const chunk = file((b) => {
    b.writeChannel(CHANNEL);
    b.writeMessage({ ...MESSAGE, data: new Uint8Array(1_000_000) });
  }).subarray(START.length);
  let read = 0;
  const io = testIo({
    readFile: async function* () {
      yield START;
      for (; read < 200; read++) yield chunk;
    },
    createFile: () =>
      Promise.resolve({
        write: () => Promise.reject(Object.assign(new Error("ENOSPC"), { errno: -28 })),
        close: () => Promise.resolve(),
      }),
  });
  assertEquals(await main(["recover", "x.mcap", "y.mcap"], io) === 0, false);
  assertStringIncludes(io.err, "no space left on device");
  assertLess(read, 50);
});

test("recover that is interrupted leaves a complete file of what it has read", async () => {
  const chunk = file((b) => {
    b.writeChannel(CHANNEL);
    for (let i = 0; i < 300; i++) b.writeMessage(MESSAGE);
  }).subarray(START.length);
  const io = testIo({
    readFile: async function* () {
      yield START;
      for (let i = 0; i < 100; i++) {
        yield chunk;
        if (i === 5) io.interrupt();
      }
    },
  });
  assertEquals(await main(["recover", "x.mcap", "y.mcap"], io) === 0, false);
  const { messages } = await readIndexed(fileBytes(io, "y.mcap"));
  assert(messages.length >= 1_500 && messages.length < 3_000, `${messages.length}`);
});

/** Bytes in memory. Bun collects its garbage late, that of the tests before included. */
function residentMemory(): number {
  (globalThis as { readonly Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
  return process.memoryUsage().rss;
}
