/** A reader of BVH, written for the tests alone: the tree, and each joint's place in the world. */

import { assert, assertEquals } from "@std/assert";

interface Node {
  readonly name: string;
  readonly parent: number;
  readonly offset: number[];
  readonly channels: string[];
}

export interface Bvh {
  readonly nodes: Node[];
  readonly frameTime: number;
  readonly frames: number[][];
}

export function parseBvh(text: string): Bvh {
  const [hierarchy = "", motion = ""] = text.split("MOTION\n");
  const words = hierarchy.trim().split(/\s+/);
  const nodes: Node[] = [];
  const open: number[] = [];
  assertEquals(words.shift(), "HIERARCHY");
  let isEnd = false;
  while (words.length > 0) {
    const word = words.shift();
    if (word === "ROOT" || word === "JOINT") {
      isEnd = false;
      const node = { name: words.shift()!, parent: open.at(-1) ?? -1, offset: [], channels: [] };
      assertEquals(node.parent === -1, word === "ROOT");
      open.push(nodes.push(node) - 1);
      assertEquals(words.shift(), "{");
    } else if (word === "End") {
      assertEquals(words.splice(0, 2), ["Site", "{"]);
      isEnd = true;
    } else if (word === "OFFSET") {
      const offset = words.splice(0, 3).map(Number);
      if (!isEnd) nodes[open.at(-1)!]!.offset.push(...offset);
    } else if (word === "CHANNELS") {
      nodes[open.at(-1)!]!.channels.push(...words.splice(0, Number(words.shift())));
    } else {
      assertEquals(word, "}");
      if (isEnd) isEnd = false;
      else open.pop();
    }
  }
  assertEquals(open, []);
  const [count = "", time = "", ...rows] = motion.trimEnd().split("\n");
  const frames = rows.map((row) => row.split(" ").map(Number));
  assertEquals(frames.length, Number(/^Frames: (\d+)$/.exec(count)![1]));
  const width = nodes.reduce((sum, { channels }) => sum + channels.length, 0);
  assert(frames.every((frame) => frame.length === width && frame.every(Number.isFinite)));
  return { nodes, frames, frameTime: Number(/^Frame Time: ([\d.]+)$/.exec(time)![1]) };
}

type Matrix = number[][];

/** The place of each joint in the world, by its name. */
export function worldPositions({ nodes }: Bvh, frame: number[]): Map<string, number[]> {
  const worlds: { rotation: Matrix; position: number[] }[] = [];
  let at = 0;
  for (const { parent, offset, channels } of nodes) {
    const base = worlds[parent] ?? { rotation: IDENTITY, position: [0, 0, 0] };
    let rotation: Matrix = base.rotation;
    const moved = [...offset];
    for (const channel of channels) {
      const value = frame[at++]!;
      const axis = "XYZ".indexOf(channel[0]!);
      if (channel.endsWith("position")) moved[axis]! += value;
      else rotation = multiply(rotation, about(axis, value * Math.PI / 180));
    }
    const turned = base.rotation.map((row) => row.reduce((sum, r, i) => sum + r * moved[i]!, 0));
    worlds.push({ rotation, position: turned.map((value, i) => value + base.position[i]!) });
  }
  return new Map(nodes.map(({ name }, i) => [name, worlds[i]!.position]));
}

const IDENTITY: Matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

function about(axis: number, angle: number): Matrix {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [a, b] = [(axis + 1) % 3, (axis + 2) % 3] as [number, number];
  const matrix = IDENTITY.map((row) => [...row]);
  matrix[a]![a] = matrix[b]![b] = c;
  matrix[a]![b] = -s;
  matrix[b]![a] = s;
  return matrix;
}

function multiply(one: Matrix, other: Matrix): Matrix {
  return one.map((row) =>
    [0, 1, 2].map((column) => row.reduce((sum, value, i) => sum + value * other[i]![column]!, 0))
  );
}
