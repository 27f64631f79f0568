/**
 * The binary layer of RCSP: the 8-byte header, an incremental frame decoder, an encoder, and both as web
 * streams. No JSON, no I/O.
 *
 * ```ts
 * import { encodeFrame, FrameDecoder, PayloadType } from "@rcsp/rcsp/wire";
 *
 * const decoder = new FrameDecoder();
 * const frame = encodeFrame(PayloadType.Event, '{"Topic":"ButtonPushed"}');
 * decoder.push(frame, (type, payload) => {
 *   console.log(type, new TextDecoder().decode(payload)); // 4 {"Topic":"ButtonPushed"}
 * });
 * decoder.end();
 * ```
 *
 * @module
 */

export { FrameDecoder } from "./decoder.ts";
export type { FrameDecoderOptions, FrameSink } from "./decoder.ts";
export { encodeFrame } from "./encoder.ts";
export {
  HEADER_SIZE,
  HEADER_VERSION,
  MARKER,
  PayloadType,
  readHeader,
  writeHeader,
} from "./header.ts";
export type { Header } from "./header.ts";
export { FrameDecoderStream, FrameEncoderStream } from "./streams.ts";
export type { Frame, OutgoingFrame } from "./streams.ts";
export type { ProtocolErrorCode } from "../errors.ts";
