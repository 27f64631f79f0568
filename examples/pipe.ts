/**
 * Frames to bytes and back with the stream classes: a short conversation is recorded, becomes a
 * stream of bytes in small pieces, as a file or a socket may give them, and is read again.
 *
 *     deno run -A examples/pipe.ts --simulate
 */

import { connect } from "@rcsp/rcsp";
import {
  FrameDecoderStream,
  FrameEncoderStream,
  type OutgoingFrame,
  PayloadType,
} from "@rcsp/rcsp/wire";
import { FixedChunkStream } from "@std/streams/unstable-fixed-chunk-stream";
import { inline, print, runExample } from "./support/command_line.ts";

const PIECE = 5;

await runExample({ usage: "pipe.ts" }, async ({ server }) => {
  const recorded: OutgoingFrame[] = [];
  await using rcsp = await connect({
    ...server,
    // The payload is valid during the call only.
    onFrame: ({ type, payload }) => recorded.push({ type, payload: payload.slice() }),
  });
  await rcsp.listDevices();

  const frames = ReadableStream.from(recorded)
    .pipeThrough(new FrameEncoderStream())
    .pipeThrough(new FixedChunkStream(PIECE))
    .pipeThrough(new FrameDecoderStream());
  for await (const { type, payload } of frames) {
    const [name] = Object.entries(PayloadType).find(([, value]) => value === type)!;
    print(`${name}, ${payload.length} bytes: ${inline(new TextDecoder().decode(payload))}`);
  }
});
