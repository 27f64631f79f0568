/** `rcsp export`: CSV and BVH, read back by readers of the tests' own. */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { main } from "../cli/main.ts";
import { McapEncoder } from "../cli/recording/mcap_encoder.ts";
import { DEFINITION_TOPIC, rgmpChannel } from "../cli/recording/mcap_schemas.ts";
import { OPENXR_JOINT_NAMES, type Side } from "../src/motion/joints.ts";
import { SimulatedHand, type SimulatedHandOptions } from "../src/motion/simulated_hand.ts";
import { parseBvh, worldPositions } from "./support/bvh.ts";
import { assertFails, rcsp, testIo } from "./support/cli_io.ts";
import { test } from "./support/test.ts";

const SIDES: Side[] = ["left", "right"];

/** A file with both hands at these times. */
function handsFile(
  times: readonly number[],
  options: Partial<SimulatedHandOptions> = {},
  change: (definition: Record<string, unknown>) => unknown = (definition) => definition,
): Uint8Array {
  const encoder = new McapEncoder();
  const parts = [encoder.start()];
  for (const [i, side] of SIDES.entries()) {
    const hand = new SimulatedHand({ side, deviceId: i, ...options });
    const definition = new TextEncoder().encode(JSON.stringify(change(hand.definition)));
    const ids = [DEFINITION_TOPIC, "joints_local", "joints_openxr"].map((what) =>
      encoder.addChannel(rgmpChannel("hands", i, what))
    );
    encoder.addMessage(ids[0]!, 0n, 0n, definition);
    for (const time of times) {
      for (const [group, frame] of hand.framesAt(time).entries()) {
        const log = BigInt(time) * 1_000_000n;
        encoder.addMessage(ids[group + 1]!, log, log, frame.slice());
      }
    }
  }
  parts.push(encoder.end());
  return concat(parts);
}

/** Exports a file; gives the files that were written. */
async function exported(bytes: Uint8Array, ...args: string[]): Promise<Map<string, string>> {
  const io = testIo({ files: { "take.mcap": bytes } });
  assertEquals(await main(["export", "take.mcap", ...args], io), 0, io.err);
  assertEquals(io.out, "");
  io.files.delete("take.mcap");
  return io.files as Map<string, string>;
}

const REGULAR = Array.from({ length: 700 }, (_, i) => i * 12);

test("export --bvh keeps every joint's place in the world within 10⁻⁴ m", async () => {
  const files = await exported(handsFile(REGULAR), "--bvh");
  assertEquals([...files.keys()], ["take-left.bvh", "take-right.bvh"]);
  for (const side of SIDES) {
    const bvh = parseBvh(files.get(`take-${side}.bvh`)!);
    assertEquals([bvh.frames.length, bvh.frameTime], [700, 0.012]);
    const hand = new SimulatedHand({ side, deviceId: 0 });
    assertEquals(bvh.nodes.length, hand.joints.joints.length);
    let farthest = 0;
    for (const [i, frame] of bvh.frames.entries()) {
      hand.framesAt(REGULAR[i]!);
      const places = worldPositions(bvh, frame);
      for (const { frame: name, position } of hand.joints.joints) {
        const place = places.get(name)!;
        farthest = Math.max(farthest, Math.hypot(...place.map((v, axis) => v - position[axis]!)));
      }
    }
    assertLess(farthest, 1e-4);
  }
});

test("export --bvh repeats a frame for each that is missing, but shortens a pause", async () => {
  const times = [0, 12, 24, 60, 72, 84, 10_000, 10_012];
  const bvh = parseBvh((await exported(handsFile(times), "--bvh")).get("take-left.bvh")!);
  const rows = bvh.frames.map((frame) => frame.join());
  assertEquals(new Set(rows.slice(2, 5)).size, 1);
  assert(rows[5] !== rows[4]);
  assertEquals(rows.length, 2 + 3 + 2 + 100 + 2);
});

test("export --csv has every sample, with all digits", async () => {
  const files = await exported(handsFile(REGULAR), "--csv");
  for (const side of SIDES) {
    const [head = "", ...rows] = files.get(`take-${side}.csv`)!.trimEnd().split("\n");
    const columns = head.split(",");
    assertEquals(columns.slice(0, 4), ["time", "device_time_us", "palm_x", "palm_y"]);
    assertEquals(columns.length, 2 + 26 * 7);
    assertEquals(columns.at(-1), "little_tip_qw");
    assertEquals(rows.length, 700);
    const hand = new SimulatedHand({ side, deviceId: 0 });
    for (const i of [0, 1, 350, 699]) {
      const [time, deviceTime, ...values] = rows[i]!.split(",").map(Number);
      assertEquals(time, REGULAR[i]! / 1_000);
      assertEquals(deviceTime, REGULAR[i]! * 1_000);
      const [, openXr] = hand.framesAt(REGULAR[i]!);
      const expected = new Float32Array(openXr!.slice(24).buffer);
      assertEquals(Float32Array.from(values), expected);
      assertEquals(expected.length, OPENXR_JOINT_NAMES.length * 7);
    }
  }
});

test("export --csv of a hand without joints_openxr has the solver's joints", async () => {
  const files = await exported(handsFile([0, 12], { openXr: false }), "--csv", "--output", "x");
  const [head = ""] = files.get("x-left.csv")!.split("\n");
  assertStringIncludes(head, ",left_forearm_x,");
  assertStringIncludes(head, ",index_proximal_qw,");
});

test("names of joints cannot become a formula, separator or line in CSV and BVH", async () => {
  const change = (definition: Record<string, unknown>): unknown =>
    JSON.parse(JSON.stringify(definition).replaceAll('left_forearm"', '=a,\\n{ b"'));
  const files = await exported(handsFile([0, 12], { openXr: false }, change), "--csv", "--bvh");
  const [head = ""] = files.get("take-left.csv")!.split("\n");
  assertStringIncludes(head, ",_a____b_x,");
  assertEquals(parseBvh(files.get("take-left.bvh")!).nodes[0]!.name, "_a____b");
});

test("export shows a bar in a terminal, nothing in a pipe", async () => {
  const bytes = handsFile(REGULAR);
  let now = 0;
  const clock = { now: () => now += 50, set: () => 0, clear: () => {} };
  for (const terminal of [true, false]) {
    const files = { "take.mcap": bytes };
    const fileSize = () => Promise.resolve(bytes.length);
    const io = testIo({ files, terminal, clock, fileSize });
    assertEquals(await main(["export", "take.mcap", "--csv"], io), 0);
    assertEquals(/K\[#+ *\] \d+ %  [\d.]+ .iB/.test(io.err), terminal, io.err);
    assertEquals(io.err.endsWith("Written take-left.csv\nWritten take-right.csv\n"), true);
  }
});

test("export reports in one sentence what it cannot do", async () => {
  const files = { "take.mcap": handsFile([0]), "none.mcap": handsFile([]), "x.ndjson": "" };
  const kept = { ...files, "take-left.csv": "precious" };
  const cases: [code: number, sentence: string, ...args: string[]][] = [
    [2, "Nothing to export: use --csv or --bvh", "take.mcap"],
    [2, "'export' needs a file whose name ends in .mcap", "x.ndjson", "--csv"],
    [1, "There are no hands in 'none.mcap'", "none.mcap", "--csv"],
    [1, "There are no hands with the group joints_local in 'none.mcap'", "none.mcap", "--bvh"],
    [2, "Cannot create 'take-left.csv': it exists. Replace it with --force.", "take.mcap", "--csv"],
    [2, "Cannot read 'missing.mcap'", "missing.mcap", "--bvh"],
  ];
  for (const [code, sentence, ...args] of cases) {
    const result = await rcsp(["export", ...args], { files: kept });
    assertFails(result, code);
    assertStringIncludes(result.err, sentence);
  }
});

test("export writes the first 64 hands of a file with many, and reports it", async () => {
  const encoder = new McapEncoder();
  const parts = [encoder.start()];
  for (let id = 0; id < 70; id++) {
    const hand = new SimulatedHand({ side: "left", deviceId: 1 });
    // Joints of other names are a hand of their own.
    const text = JSON.stringify(hand.definition).replaceAll("left_finger5_tip", `tip_${id}`)
      .replaceAll("xr_palm", `xr_palm_${id}`);
    const ids = [DEFINITION_TOPIC, "joints_local"].map((what) =>
      encoder.addChannel(rgmpChannel("hands", 1, what))
    );
    encoder.addMessage(ids[0]!, 0n, 0n, new TextEncoder().encode(text));
    const [frame] = hand.framesAt(12);
    encoder.addMessage(ids[1]!, 1n, 1n, frame!.slice());
  }
  parts.push(encoder.end());
  for (const format of ["--csv", "--bvh"]) {
    const io = testIo({ files: { "take.mcap": concat(parts) } });
    assertEquals(await main(["export", "take.mcap", format], io), 0, io.err);
    assertEquals(io.files.size, 65);
    assertStringIncludes(io.err, "Only the first 64 hands are written");
  }
});
