/**
 * The decoder and the encoder as Web Streams, for people who pipe. The client and the server do not
 * use them: a stream per message costs more than the message.
 *
 * Free of any runtime.
 *
 * @module
 */

import { FrameDecoder, type FrameDecoderOptions } from "./decoder.ts";
import { encodeFrame } from "./encoder.ts";
import type { PayloadType } from "./header.ts";

/** A frame that owns its bytes. */
export interface Frame {
  /** What the body is. */
  readonly type: PayloadType;
  /** The body as it came: JSON in UTF-8 unless the other side broke the rules. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A frame to be sent. */
export interface OutgoingFrame {
  /** What the body is. */
  readonly type: PayloadType;
  /** The body, as text or as bytes. */
  readonly payload: string | Uint8Array;
}

/**
 * Bytes in, {@link Frame}s out; each frame is a copy of its own.
 *
 * Errors as {@link FrameDecoder.push}; a stream that ends inside a frame errors with `cut-frame`.
 * As with every Web Stream, an error discards the frames that nobody has read yet.
 */
export class FrameDecoderStream extends TransformStream<Uint8Array, Frame> {
  /** Makes a stream; the options are those of {@link FrameDecoder}. */
  constructor(options: FrameDecoderOptions = {}) {
    const decoder = new FrameDecoder(options);
    super({
      transform(chunk, controller): void {
        decoder.push(chunk, (type, payload) => {
          controller.enqueue({ type, payload: new Uint8Array(payload) });
        });
      },
      flush(): void {
        decoder.end();
      },
    });
  }
}

/** Frames in, bytes out: one chunk for each frame. */
export class FrameEncoderStream extends TransformStream<OutgoingFrame, Uint8Array<ArrayBuffer>> {
  /** Makes a stream. */
  constructor() {
    super({
      transform(frame, controller): void {
        controller.enqueue(encodeFrame(frame.type, frame.payload));
      },
    });
  }
}
