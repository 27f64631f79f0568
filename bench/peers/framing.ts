/** Checks the frames of a peer, and wraps it as a variant to measure. */

import { equals } from "@std/bytes";
import type { CutStream } from "../support/frames.ts";
import type { Variant } from "../support/rounds.ts";
import type { Peer, Sink } from "./peer.ts";

// Timeouts in milliseconds. The rate of a pass that is stopped early is better than the true one.
const PASS_TIMEOUT = 100;
const CHECK_TIMEOUT = 300;

/** Throws if a frame of a peer differs from the input. */
export async function checkFrames(peer: Peer, stream: CutStream): Promise<void> {
  let seen = 0;
  const run = await peer.open((type, payload) => {
    const expected = stream.payloads[seen++];
    if (expected === undefined || type !== 4 || !equals(payload, expected)) {
      throw new Error(`Frame ${seen} of '${peer.name}' differs from the input`);
    }
  });
  const consumed = await run(stream, performance.now() + CHECK_TIMEOUT);
  if (consumed === stream.chunks.length && seen !== stream.payloads.length) {
    throw new Error(`'${peer.name}' emitted ${seen} of ${stream.payloads.length} frames`);
  }
}

/** A variant whose pass decodes all chunks of a stream, or as many as the timeout allows. */
export async function framer(
  peer: Peer,
  stream: CutStream,
  sink: Sink,
  timeout = PASS_TIMEOUT,
): Promise<Variant> {
  const { chunks, payloads } = stream;
  let run = await peer.open(sink);
  const variant = { name: peer.name, stopped: false, pass };
  return variant;

  function pass(): number | Promise<number> {
    const consumed = run(stream, performance.now() + timeout);
    if (consumed === chunks.length) return payloads.length;
    return typeof consumed === "number" ? reopen(consumed) : consumed.then(reopen);
  }

  async function reopen(consumed: number): Promise<number> {
    if (consumed === chunks.length) return payloads.length;
    variant.stopped = true;
    run = await peer.open(sink);
    return payloads.length * consumed / chunks.length;
  }
}
