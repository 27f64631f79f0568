import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { concat } from "@std/bytes";
import { RcspError } from "../src/errors.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { handDefinition } from "../src/motion/hand_model.ts";
import { type MotionClient, openMotionClient } from "../src/motion/motion_client.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import type { Socket } from "../src/socket/socket.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { utf8 } from "./support/frames.ts";
import {
  dataPayload,
  definitionOf,
  floats,
  motionFrame,
  motionHeader,
  uint32,
} from "./support/motion.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

interface Room {
  motion: MotionClient;
  clock: FakeClock;
  /** The codes of all errors, of devices and of the connection. */
  codes: string[];
  /** Sends bytes on the newest connection. */
  send(...parts: Uint8Array[]): Promise<void>;
  /** The server's ends of all connections. */
  sockets: Socket[];
}

const DEFINITION = motionFrame(1, definitionOf(7, "FLOAT[2]"));
const data = (stamp: number, ...values: number[]): Uint8Array =>
  motionFrame(2, dataPayload(7, 0, stamp, floats(...values)));

/** A client whose server is the test. Every connection begins with the definition of device 7. */
async function withClient(use: (room: Room) => Promise<void>): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const clock = new FakeClock();
  const sockets: Socket[] = [];
  const listener = await listen({ port: 12277 }, (socket) => {
    sockets.push(socket);
    socket.write(DEFINITION).catch(() => {});
  });
  const motion = await openMotionClient(connector, {}, { clock, random: () => 0 });
  const codes: string[] = [];
  motion.on("error", ({ code }) => codes.push(code));
  motion.on("status", (status) => {
    if (status.state === "reconnecting") codes.push((status.cause as RcspError).code);
  });
  const send = async (...parts: Uint8Array[]): Promise<void> => {
    await sockets.at(-1)!.write(concat(parts)).catch(() => {});
  };
  try {
    await use({ motion, clock, codes, sockets, send });
  } finally {
    await motion.close();
    await listener.close();
    for (const socket of sockets) socket.close();
    assertEquals(clock.timers, 0);
  }
}

/** The client must still take a good frame, on this connection or on the next. */
async function assertAlive({ motion, clock, send }: Room): Promise<void> {
  if (motion.status.state === "reconnecting") clock.advance(10_000);
  await until(() => motion.status.state === "ready" && motion.devices().length > 0);
  const { samples } = motion.stats();
  await send(DEFINITION, data(9_000_000_000, 3, 4));
  await until(() => motion.stats().samples === samples + 1);
  assertEquals(
    [...motion.devices().find(({ id }) => id === 7)!.sample("test")!.frame.subarray(24)],
    [
      ...floats(3, 4),
    ],
  );
}

const short = dataPayload(7, 0, 1, floats(1));
const deep = (depth: number): string =>
  `{"device_id":7,"groups":[],"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;

/** Bytes after which the connection goes on; what they count. */
const COUNTED: [what: string, bytes: Uint8Array, counts: object, codes: string[]][] = [
  ["data of length 0", motionHeader(2, 0), { wrongSize: 1 }, []],
  ["data of length 15", motionFrame(2, short.subarray(0, 15)), { wrongSize: 1 }, []],
  ["data of length 16", motionFrame(2, short.subarray(0, 16)), { wrongSize: 1 }, ["bad-shape"]],
  ["data one byte short", data(1, 1, 2).subarray(0, -1), { wrongSize: 1 }, ["bad-shape"]],
  ["data one byte long", data(1, 1, 2), { wrongSize: 1 }, ["bad-shape"]],
  ["data of an unknown group", motionFrame(2, dataPayload(7, 1, 1, floats())), {
    undefinedData: 1,
  }, []],
  ["data of an unknown device", motionFrame(2, dataPayload(8, 0, 1, floats(1, 2))), {
    undefinedData: 1,
  }, []],
  ["a disconnect of length 0", motionHeader(3, 0), { wrongSize: 1 }, []],
  ["a disconnect of length 8", motionFrame(3, new Uint8Array(8)), { wrongSize: 1 }, []],
  ["a disconnect of an unknown device", motionFrame(3, uint32(99)), { disconnects: 1 }, []],
  ["prefix 0", motionFrame(0, utf8("zero")), {}, []],
  ["prefix 4", motionFrame(4, utf8("four")), {}, []],
  ["prefix 2^32 - 1", motionFrame(2 ** 32 - 1, utf8("all")), {}, []],
  ["a definition of length 0", motionHeader(1, 0), { badDefinitions: 1 }, ["bad-json"]],
  ["a definition that is not UTF-8", motionFrame(1, Uint8Array.of(0x22, 0xff, 0x22)), {
    badDefinitions: 1,
  }, ["bad-utf8"]],
  ["a definition that is too deep", motionFrame(1, deep(1000)), { badDefinitions: 1 }, [
    "limit-reached",
  ]],
  ["a definition 10^6 deep", motionFrame(1, "[".repeat(1_000_000)), { badDefinitions: 1 }, [
    "limit-reached",
  ]],
  ["a definition of 10 MB", motionFrame(1, `{"device_id":7,"x":"${"x".repeat(10_000_000)}"}`), {
    badDefinitions: 1,
  }, ["limit-reached"]],
  [
    "a definition with names of prototypes",
    motionFrame(
      1,
      '{"__proto__":{"a":1},"constructor":{"prototype":{"a":1}},"device_id":7,"groups":[{"name":"__proto__","streams":[]}]}',
    ),
    { badDefinitions: 0 },
    [],
  ],
  ["a time of 2^64 - 1", motionFrame(2, dataPayload(7, 0, 2n ** 64n - 1n, floats(1, 2))), {
    samples: 1,
  }, []],
  ["NaN and Infinity", data(1, NaN, -Infinity), { samples: 1 }, []],
];

for (const [what, bytes, counts, codes] of COUNTED) {
  test(`${what}: counted, and the stream continues`, () =>
    withClient(async (room) => {
      const { motion } = room;
      await until(() => motion.devices().length === 1);
      const before = motion.stats().bytesReceived;
      // Patch the length of a cut or stretched frame, so that only its group does not fit.
      const frame = bytes.slice();
      if (what === "data one byte short") frame.set(uint32(frame.length - 8), 4);
      const sent = what === "data one byte long"
        ? concat([frame.with(4, frame.length - 7), Uint8Array.of(0)])
        : frame;
      await room.send(sent);
      await until(() => motion.stats().bytesReceived === before + sent.length);
      const stats: object = motion.stats();
      assertEquals({ ...stats, ...counts }, stats);
      assertEquals(room.codes, codes);
      if (what === "a time of 2^64 - 1") {
        // Nothing can be later than this, so the device must seem to have restarted.
        room.clock.advance(1_000);
      }
      await assertAlive(room);
      assertEquals([room.sockets.length, ({} as { a?: number }).a], [1, undefined]);
    }));
}

/** Bytes that end the connection, with the code of the cause. */
const FATAL: [what: string, bytes: Uint8Array, code: string][] = [
  ["data that claims 2^32 - 1 bytes", motionHeader(2, 2 ** 32 - 1), "limit-reached"],
  ["a definition that claims 16 MiB + 1", motionHeader(1, 2 ** 24 + 1), "limit-reached"],
  ["prefix 0 that claims 2^32 - 1 bytes", motionHeader(0, 2 ** 32 - 1), "bad-type"],
  ["ten frames with prefix 4", concat(Array(10).fill(motionHeader(4, 0))), "bad-type"],
  ["HTTP", utf8("HTTP/1.1 400 Bad Request\r\n\r\n"), "bad-type"],
];

for (const [what, bytes, code] of FATAL) {
  test(`${what}: the connection ends with the reason, and the next one is good`, () =>
    withClient(async (room) => {
      await until(() => room.motion.devices().length === 1);
      await room.send(bytes);
      await until(() => room.motion.status.state === "reconnecting");
      assertEquals([room.codes, room.motion.devices()], [[code], []]);
      await assertAlive(room);
      assertEquals(room.sockets.length, 2);
    }));
}

test("a stream that ends at any byte of a frame is lost with its reason, and the next one is good", () =>
  withClient(async (room) => {
    const { motion, clock, codes, sockets } = room;
    const stream = concat([DEFINITION, data(1, 1, 2)]);
    for (let end = 0; end <= stream.length; end += 7) {
      await until(() => motion.devices().length === 1);
      codes.length = 0;
      const between = end === 0 || end === DEFINITION.length || end === stream.length;
      await room.send(stream.subarray(0, end));
      sockets.at(-1)!.close();
      await until(() => codes.length === 1);
      assertEquals(codes[0], between ? "connection-closed" : "cut-frame", `${end}`);
      clock.advance(10_000);
      await until(() => motion.status.state === "ready");
    }
    await assertAlive(room);
  }));

test("a server that flaps 200 times leaves nothing behind", () =>
  withClient(async (room) => {
    const { motion, clock, sockets } = room;
    const samples = motion.samples(7, "test", { every: true, buffer: 1000 });
    for (let i = 1; i <= 200; i++) {
      await until(() => motion.devices().length === 1);
      await room.send(data(i, i, i));
      await until(() => motion.stats().samples === i);
      sockets.at(-1)!.close();
      await until(() => motion.status.state === "reconnecting");
      assertEquals(clock.timers, 1, "of the wait alone");
      // Data has arrived, so each wait is the first one.
      clock.advance(500);
      await until(() => motion.status.state === "ready");
    }
    assertEquals([motion.stats().reconnects, samples.gaps, samples.waiting], [200, 200, 200]);
    await samples.return();
  }));

test("a hundred thousand devices are cut at 'maxDevices' by the client, in bounded memory", () =>
  withClient(async (room) => {
    const { motion, codes } = room;
    await until(() => motion.devices().length === 1);
    for (let id = 0; id < 100_000; id += 1_000) {
      await room.send(
        ...Array.from({ length: 1_000 }, (_, i) => motionFrame(1, definitionOf(1_000 + id + i))),
      );
    }
    await until(() => motion.stats().definitions === 100_001);
    assertEquals([motion.devices().length, codes], [64, ["limit-reached"]]);
    await assertAlive(room);
  }));

test("hands of NaN, Infinity and rotations of length 0 are read as they are", () =>
  withClient(async (room) => {
    const { motion, send } = room;
    const hand = new SimulatedHand({ side: "left", deviceId: 9 });
    await send(encodeDefinition(handDefinition("left", 9, true)));
    for (const [i, value] of [NaN, Infinity, -Infinity, 0].entries()) {
      for (const frame of hand.framesAt(i * 12)) {
        const copy = frame.slice();
        new Float32Array(copy.buffer, 24).fill(value);
        await send(copy);
      }
      await until(() => motion.stats().samples === 2 * (i + 1));
      const measures = motion.hands()[0]!.measure()!;
      // A rotation of length 0 turns nothing, so all bones have one direction.
      const expected = value === 0 ? 0 : NaN;
      assertEquals(Object.values(measures.curls), Array(5).fill(expected));
      assertEquals(motion.hands()[0]!.error, undefined);
    }
    await assertAlive(room);
  }));

test("a client may be closed by several of its listeners at once", () =>
  withClient(async ({ motion, send }) => {
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      motion.on("sample", ({ sequence }) => {
        seen.push(sequence);
        void motion.close();
      });
    }
    await until(() => motion.devices().length === 1);
    await send(data(1, 1, 2), data(2, 1, 2));
    assertEquals([await motion.closed, seen], [undefined, [1, 1, 1]]);
  }));

test("abort ends a client that connects, waits or reads", async () => {
  const { connector, listen } = memoryNetwork();
  const connecting = new AbortController();
  const never = openMotionClient(
    (_address, options) =>
      new Promise((_, reject) => {
        options?.signal?.addEventListener("abort", () => reject(options.signal!.reason));
      }),
    { signal: connecting.signal },
  );
  connecting.abort(new Error("enough"));
  await assertRejects(() => never, Error, "enough");

  const reading = new AbortController();
  const listener = await listen({ port: 12277 }, (socket) => {
    socket.read().then(() => socket.close());
  });
  const motion = await openMotionClient(connector, { signal: reading.signal });
  const samples = motion.samples(7, "test");
  const next = samples.next();
  reading.abort(new Error("enough"));
  await assertRejects(() => next, RcspError, "aborted");
  const cause = await motion.closed;
  assertInstanceOf(cause, RcspError);
  assertEquals((cause.cause as Error).message, "enough");
  await listener.close();
});
