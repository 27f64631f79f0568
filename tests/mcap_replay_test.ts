/** `rcsp replay FILE.mcap`: both halves as they were recorded. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { main } from "../cli/main.ts";
import { MotionPrefix } from "../src/motion/frame.ts";
import { type ChannelInfo, McapEncoder } from "../cli/recording/mcap_encoder.ts";
import {
  DEFINITION_TOPIC,
  lostChannel,
  rcspChannel,
  rgmpChannel,
  strayChannel,
} from "../cli/recording/mcap_schemas.ts";
import { wholeFrame } from "../cli/recording/motion_track.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import type { Connector, Socket } from "../src/socket/socket.ts";
import { assertFails, rcsp, type TestIo, testIo } from "./support/cli_io.ts";
import { byTopic, fileBytes, readIndexed, untilRecorded } from "./support/mcap.ts";
import { test } from "./support/test.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * A file of a hand that moves for a time in steps of 12 ms, then disconnects. Its first message is `late`
 * milliseconds later than the second.
 */
function handFile(milliseconds: number, late = 0): { bytes: Uint8Array; frames: Uint8Array[] } {
  const encoder = new McapEncoder();
  const hand = new SimulatedHand({ side: "left", deviceId: 5 });
  const parts = [encoder.start()];
  const frames: Uint8Array[] = [];
  const ids = [DEFINITION_TOPIC, "joints_local", "joints_openxr", "disconnect"].map((what) =>
    encoder.addChannel(rgmpChannel("hands", 5, what))
  );
  const add = (channel: number, time: number, prefix: MotionPrefix, payload: Uint8Array): void => {
    const frame = wholeFrame(prefix, payload);
    frames.push(frame);
    const log = BigInt(1_000_000 + time) * 1_000_000n;
    encoder.addMessage(ids[channel]!, log, log, channel === 0 ? payload : frame);
  };
  add(0, late, MotionPrefix.Definition, utf8(JSON.stringify(hand.definition)));
  for (let time = 0; time < milliseconds; time += 12) {
    if (encoder.pending > 500_000) parts.push(encoder.flush());
    for (const [i, frame] of hand.framesAt(time).entries()) {
      add(i + 1, time, MotionPrefix.Data, frame.slice(8));
    }
  }
  add(3, milliseconds, MotionPrefix.Disconnect, Uint8Array.of(5, 0, 0, 0));
  parts.push(encoder.end());
  return { bytes: concat(parts), frames };
}

/** A file of a hand whose connection is lost before it disconnects: 3 messages, 12 ms apart. */
function lostFile(): Uint8Array {
  const encoder = new McapEncoder();
  const start = encoder.start();
  const { definition } = new SimulatedHand({ side: "left", deviceId: 5 });
  const add = (channel: ChannelInfo, time: number, data: Uint8Array): void => {
    const log = BigInt(time) * 1_000_000n;
    encoder.addMessage(encoder.addChannel(channel), log, log, data);
  };
  add(rgmpChannel("hands", 5, DEFINITION_TOPIC), 0, utf8(JSON.stringify(definition)));
  add(lostChannel("hands"), 12, utf8('{"stream":"hands","reason":"x"}'));
  add(strayChannel("hands"), 24, wholeFrame(MotionPrefix.Disconnect, Uint8Array.of(9, 0, 0, 0)));
  return concat([start, encoder.end()]);
}

/** Replays a file while `use` runs. */
async function withReplay(
  bytes: Uint8Array,
  use: (connector: Connector, io: TestIo) => Promise<void>,
  ...args: string[]
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, files: { "in.mcap": bytes } });
  const ending = main(["replay", "in.mcap", ...args], io);
  await Promise.race([io.until(({ err }) => err.includes("Ctrl-C ends")), ending]);
  try {
    await use(connector, io);
  } finally {
    io.interrupt();
    assertEquals(await ending, 0, io.err);
  }
}

async function receive(socket: Socket, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let received = 0; received < length;) {
    const chunk = await socket.read();
    assert(chunk !== null, `ended after ${received} of ${length} bytes`);
    parts.push(chunk.slice());
    received += chunk.length;
  }
  return concat(parts);
}

test("replay sends the motion byte for byte, to each client from its start", async () => {
  const { bytes, frames } = handFile(600);
  const sent = concat(frames);
  await withReplay(
    bytes,
    async (connector, io) => {
      assertStringIncludes(io.out, "Motion (hands) listening on 127.0.0.1:12277\n");
      assertStringIncludes(io.err, "motion (hands): Ctrl-C ends");
      for (let client = 0; client < 2; client++) {
        const socket = await connector({ host: "x", port: 12277 });
        assertEquals(await receive(socket, sent.length), sent);
        socket.close();
      }
    },
    "--speed",
    "max",
  );
});

test("replay plays what there is of a file that is cut, and shows it once", async () => {
  const { bytes, frames } = handFile(60_000);
  await withReplay(
    bytes.subarray(0, bytes.length - 100_000),
    async (connector, io) => {
      const socket = await connector({ host: "x", port: 12277 });
      const sent = concat(frames);
      // The last chunk of less than 1 MiB, and the index, are gone.
      const least = 2_000_000;
      assertEquals((await receive(socket, least)).subarray(0, least), sent.subarray(0, least));
      assertEquals(io.err.match(/is read in part/g)?.length, 1, io.err);
      socket.close();
    },
    "--speed",
    "max",
  );
});

test("replay keeps the times between frames, by its speed", async () => {
  const { bytes, frames } = handFile(360);
  await withReplay(
    bytes,
    async (connector) => {
      const began = performance.now();
      const socket = await connector({ host: "x", port: 12277 });
      await receive(socket, concat(frames).length);
      // Never early; a busy machine may be late.
      assert(performance.now() - began >= 715, `${performance.now() - began}`);
      socket.close();
    },
    "--speed",
    "0.5",
  );
});

test("replay --from begins with the definition, and --to ends", async () => {
  const { bytes, frames } = handFile(600);
  const part = frames.slice(1).filter((_, i) => {
    const time = Math.floor(i / 2) * 12;
    return time >= 120 && time <= 240;
  });
  await withReplay(
    bytes,
    async (connector) => {
      const socket = await connector({ host: "x", port: 12277 });
      const expected = concat([frames[0]!, ...part]);
      assertEquals(await receive(socket, expected.length), expected);
      socket.close();
    },
    "--from",
    "120ms",
    "--to",
    "240ms",
    "--speed",
    "max",
  );
});

test("replay --from does not begin with the definitions of a connection that was lost", async () => {
  const frame = wholeFrame(MotionPrefix.Disconnect, Uint8Array.of(9, 0, 0, 0));
  await withReplay(
    lostFile(),
    async (connector) => {
      const socket = await connector({ host: "x", port: 12277 });
      assertEquals(await receive(socket, frame.length), frame);
      socket.close();
    },
    "--from",
    "20ms",
    "--speed",
    "max",
  );
});

test("replay --loop begins again after the end", async () => {
  const { bytes, frames } = handFile(60);
  const twice = concat([...frames, ...frames]);
  await withReplay(
    bytes,
    async (connector) => {
      const socket = await connector({ host: "x", port: 12277 });
      assertEquals(await receive(socket, twice.length), twice);
      socket.close();
    },
    "--loop",
    "--speed",
    "max",
  );
});

test("replay ends at Ctrl-C while a motion client does not read", async () => {
  const { bytes } = handFile(60_000);
  await withReplay(
    bytes,
    async (connector) => {
      const socket = await connector({ host: "x", port: 12277 });
      assert(await socket.read() !== null);
    },
    "--speed",
    "max",
  );
});

test("what record wrote, replayed and recorded again, is equal in /rgmp/* and /rcsp/*", async () => {
  const first = testIo();
  const flags = ["--motion", "--raw"];
  const recording = main(["record", "a.mcap", "--simulate", ...flags, "--for", "1s"], first);
  assertEquals(await recording, 0, first.err);
  const original = fileBytes(first, "a.mcap");
  const expected = byTopic((await readIndexed(original)).messages);
  await withReplay(original, async (connector) => {
    const again = testIo({ connector });
    const ending = main(["record", "b.mcap", ...flags], again);
    await again.until(({ err }) => err.includes("Recording: Ctrl-C ends") || err.includes("rcsp:"));
    const counts = Array.from(expected, ([topic, { length }]) => [topic, length] as const)
      .filter(([topic]) => topic.startsWith("/rgmp/") || topic === "/rcsp/press");
    assert(counts.length > 8, `${counts}`);
    await untilRecorded(again, "b.mcap", Object.fromEntries(counts));
    again.interrupt();
    assertEquals(await ending, 0, again.err);
    const found = byTopic((await readIndexed(fileBytes(again, "b.mcap"))).messages);
    for (const [topic, messages] of expected) {
      if (topic.startsWith("/hand/")) continue;
      assertEquals(
        found.get(topic)?.map(({ data }) => new TextDecoder("latin1").decode(data)),
        messages.map(({ data }) => new TextDecoder("latin1").decode(data)),
        topic,
      );
    }
  });
});

test("replay refuses RCSP that is wrong, with the number of the message", async () => {
  for (
    const [sentence, ...texts] of [
      ["message 3 is wrong: it is not JSON", '{"direction":"in","connection":1,"type":"x"}', "{"],
      ["message 2 is wrong: 'connection' is nothing", '{"direction":"in","type":"event"}'],
    ] as [string, ...string[]][]
  ) {
    const encoder = new McapEncoder();
    const start = encoder.start();
    const id = encoder.addChannel(rcspChannel("in"));
    for (const text of texts) encoder.addMessage(id, 1n, 1n, utf8(text));
    const files = { "x.mcap": concat([start, encoder.end()]) };
    const result = await rcsp(["replay", "x.mcap"], { files });
    assertFails(result, 2);
    assertStringIncludes(result.err, `Cannot replay 'x.mcap': ${sentence}`);
  }
  const { bytes } = handFile(60);
  const beyond = await rcsp(["replay", "x.mcap", "--from", "1s"], { files: { "x.mcap": bytes } });
  assertFails(beyond, 2);
  assertStringIncludes(beyond.err, "Nothing to replay: the recording ends after 60 ms");
});

test("replay sends motion frames that are earlier than the first message of the file", async () => {
  const { bytes, frames } = handFile(120, 500);
  await withReplay(
    bytes,
    async (connector) => {
      const socket = await connector({ host: "x", port: 12277 });
      assertEquals(await receive(socket, concat(frames).length), concat(frames));
      socket.close();
    },
    "--speed",
    "max",
  );
});
