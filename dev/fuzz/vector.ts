/** Saves a failing case as a vector in `tests/vectors`, where it becomes a test. */

import { writeFile } from "node:fs/promises";
import type { FuzzFailure } from "./campaign.ts";
import { referenceMotion } from "./motion_reference.ts";
import { referenceBody, referenceDecode } from "./reference.ts";

/** Where targets keep their cases, and how; the others have frames of RCSP. */
const KINDS = new Map<string, [kind: string, makeVector: (failure: FuzzFailure) => object]>([
  ["bodies", ["bodies", bodyVector]],
  ["motion", ["motion_streams", motionVector]],
]);

/** Writes the vector; returns the path of its file. */
export async function keepVector(failure: FuzzFailure, folder: URL): Promise<string> {
  const { target, seed, iteration } = failure;
  const [kind, makeVector] = KINDS.get(target) ?? ["streams", streamVector];
  const file = new URL(`${kind}_fuzz_${target}_${seed}_${iteration}.json`, folder);
  const vector = makeVector(failure);
  await writeFile(file, `[\n  ${JSON.stringify(vector)}\n]\n`);
  return file.pathname;
}

function streamVector({ target, seed, iteration, limit, bytes }: FuzzFailure): object {
  const { frames, code, offset } = referenceDecode(bytes, limit);
  return {
    name: `fuzz: ${target}, seed ${seed}, iteration ${iteration}`,
    chunks: [toHex(bytes)],
    maxPayload: limit,
    frames: frames.map(({ type, start, end }) => ({
      type,
      payload: toHex(bytes.subarray(start, end)),
    })),
    ...(code === undefined ? {} : { error: { code, offset } }),
    fuzz: { target, seed, iteration },
  };
}

function bodyVector({ target, seed, iteration, limit, bytes }: FuzzFailure): object {
  const { value, codes } = referenceBody(bytes, limit);
  return {
    name: `fuzz: ${target}, seed ${seed}, iteration ${iteration}`,
    body: toHex(bytes),
    maxDepth: limit,
    ...(codes === undefined ? { json: value } : { error: { code: codes[0] } }),
    fuzz: { target, seed, iteration },
  };
}

function motionVector({ target, seed, iteration, limit, bytes }: FuzzFailure): object {
  const { frames, skipped, code, offset } = referenceMotion(bytes, limit);
  return {
    name: `fuzz: ${target}, seed ${seed}, iteration ${iteration}`,
    chunks: [toHex(bytes)],
    maxPayload: limit,
    frames: frames.map(({ prefix, start, end }) => ({
      prefix,
      payload: toHex(bytes.subarray(start, end)),
    })),
    skipped,
    ...(code === undefined ? {} : { error: { code, offset } }),
    fuzz: { target, seed, iteration },
  };
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
