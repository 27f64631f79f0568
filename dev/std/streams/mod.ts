/**
 * A thin stand-in for the few names of `@std/streams` that this project uses.
 * `FixedChunkStream` has only its own entry, `@std/streams/unstable-fixed-chunk-stream`, as in the
 * real package.
 */

export { TextLineStream } from "./text-line-stream.ts";
export { toArrayBuffer } from "./to-array-buffer.ts";
