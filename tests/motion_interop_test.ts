import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { fileURLToPath } from "node:url";
import { readDefinition } from "../src/motion/definition.ts";
import { MotionDecoder } from "../src/motion/decoder.ts";
import { encodeDefinition, encodeDisconnect } from "../src/motion/frame.ts";
import { MotionRegistry } from "../src/motion/registry.ts";
import { SimulatedGlove } from "../src/motion/simulated_glove.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import type { JsonObject } from "../src/message/json.ts";
import { fromHex, toHex } from "./support/frames.ts";
import { bitsOf } from "./support/motion.ts";
import { run } from "./support/runtime.ts";
import { test } from "./support/test.ts";

// -B: no cache files beside the sources.
async function python(args: string[], stdin = ""): Promise<PythonMessage[]> {
  const script = fileURLToPath(new URL("./interop/motion.py", import.meta.url));
  const { code, stdout, stderr } = await run(["python3", "-B", script, ...args], { stdin });
  assertEquals([code, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

interface PythonMessage {
  bytes: string;
  prefix: number;
  definition?: JsonObject;
  device: number;
  group: number;
  time: string;
  bits?: string[][];
  compared: number;
  worst: number;
}

/** Two hands and two gloves for some milliseconds, as one stream. */
function simulatedStream(milliseconds: number): { bytes: Uint8Array; dataFrames: number } {
  const hands = (["left", "right"] as const).map((side, i) =>
    new SimulatedHand({ side, deviceId: i + 1, seed: 3 })
  );
  const gloves = hands.map((hand, i) => new SimulatedGlove(hand, i + 101));
  const frames = [...hands, ...gloves].map(({ definition }) => encodeDefinition(definition));
  const definitions = frames.length;
  for (let time = 0; time < milliseconds; time += 12) {
    for (const each of [...hands, ...gloves]) {
      frames.push(...each.framesAt(time).map((frame) => frame.slice() as typeof frames[number]));
    }
  }
  const dataFrames = frames.length - definitions;
  return { bytes: concat([...frames, encodeDisconnect(2)]), dataFrames };
}

test("every value that Python sends is read, bit for bit", async () => {
  for (const seed of [1, 2, 3]) {
    const messages = await python(["encode", "--seed", String(seed), "--count", "50"]);
    const decoder = new MotionDecoder();
    const registry = new MotionRegistry();
    let samples = 0;
    for (const { bytes, definition, device, group, time, bits } of messages) {
      // A byte at the front, so that nothing is where an array of floats could be.
      decoder.push(concat([Uint8Array.of(0), fromHex(bytes)]).subarray(1), registry.receive);
      if (definition !== undefined) {
        const id = readDefinition(definition).deviceId;
        assertEquals(registry.device(id)?.definition?.raw, definition);
      } else if (bits !== undefined) {
        const sample = registry.device(device)!.sample(group)!;
        assertEquals(String(sample.deviceTime), time);
        assertEquals(sample.group.streams.map((stream) => bitsOf(sample, stream)), bits);
        samples++;
      } else {
        assertEquals(registry.device(device), undefined);
      }
    }
    assertEquals([samples, registry.stats().samples, registry.devices().length], [200, 200, 3]);
  }
});

test("Python reads every value of the simulated hands and gloves, bit for bit", async () => {
  const { bytes, dataFrames } = simulatedStream(500);
  const messages = await python(["decode"], toHex(bytes));
  const registry = new MotionRegistry();
  const decoder = new MotionDecoder();
  let i = 0;
  decoder.push(bytes, (prefix, payload) => {
    const message = messages[i++]!;
    assertEquals(message.prefix, prefix);
    registry.receive(prefix, payload);
    if (message.bits === undefined) return;
    const sample = registry.device(message.device)!.sample(message.group)!;
    assertEquals(String(sample.deviceTime), message.time);
    assertEquals(sample.group.streams.map((stream) => bitsOf(sample, stream)), message.bits);
  });
  assertEquals([i, registry.stats().samples], [messages.length, dataFrames]);
  assertEquals(messages.at(-1), { prefix: 3, device: 2 } as PythonMessage);
});

test("forward kinematics in Python put joints_local where joints_openxr are", async () => {
  const { bytes } = simulatedStream(3000);
  const result = (await python(["hands"], toHex(bytes)))[0]!;
  assertEquals(result.compared, 2 * 250 * 25);
  assert(result.worst <= 1e-5, `${result.worst} m`);
});
