/** From a peer to a variant that can be timed, after a look at whether its frames are right. */

import { equals } from "@std/bytes";
import type { Peer, Sink } from "../peers/peer.ts";
import type { CutStream } from "./frames.ts";
import type { Variant } from "./rounds.ts";

// In milliseconds. What takes longer is cut off: its rate until then flatters it.
const MOST_PASS = 100;
const MOST_CHECK = 300;

/** Throws unless every frame of a peer is, byte for byte, what was put in. */
export async function checkFrames(peer: Peer, stream: CutStream): Promise<void> {
  let seen = 0;
  const run = await peer.open((type, payload) => {
    const expected = stream.payloads[seen++];
    if (expected === undefined || type !== 4 || !equals(payload, expected)) {
      throw new Error(`Frame ${seen} of '${peer.name}' differs`);
    }
  });
  const taken = await run(stream, performance.now() + MOST_CHECK);
  if (taken === stream.chunks.length && seen !== stream.payloads.length) {
    throw new Error(`'${peer.name}' gave ${seen} of ${stream.payloads.length} frames`);
  }
}

/** A variant whose pass takes all chunks of a stream, or as many as it can in its time. */
export async function framer(
  peer: Peer,
  stream: CutStream,
  sink: Sink,
  mostPass = MOST_PASS,
): Promise<Variant> {
  const { chunks, payloads } = stream;
  let run = await peer.open(sink);
  const variant = { name: peer.name, wasCut: false, pass };
  return variant;

  function pass(): number | Promise<number> {
    const taken = run(stream, performance.now() + mostPass);
    if (taken === chunks.length) return payloads.length;
    return typeof taken === "number" ? reopen(taken) : taken.then(reopen);
  }

  async function reopen(taken: number): Promise<number> {
    if (taken === chunks.length) return payloads.length;
    variant.wasCut = true;
    run = await peer.open(sink);
    return payloads.length * taken / chunks.length;
  }
}
