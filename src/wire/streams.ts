/**
 * Decoder and encoder as Web Streams, for code that pipes. The client and the server do not use them:
 * passing a message through a stream costs more than decoding it.
 *
 * @module
 */

import { FrameDecoder, type FrameDecoderOptions } from "./decoder.ts";
import { encodeFrame } from "./encoder.ts";
import type { PayloadType } from "./header.ts";

/** A received frame; its payload is a copy. */
export interface Frame {
  /** The type of the body. */
  readonly type: PayloadType;
  /** The body as received: JSON in UTF-8, if the peer follows the protocol. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A frame to send. */
export interface OutgoingFrame {
  /** The type of the body. */
  readonly type: PayloadType;
  /** The body, text or bytes. */
  readonly payload: string | Uint8Array;
}

/**
 * Decodes bytes to {@link Frame}s.
 *
 * Fails with the errors of {@link FrameDecoder.push}, and with `cut-frame` if the stream ends inside a
 * frame. As with every Web Stream, an error discards the frames that have not been read yet.
 */
export class FrameDecoderStream extends TransformStream<Uint8Array, Frame> {
  /** Creates a stream with the options of {@link FrameDecoder}. */
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

/** Encodes frames to bytes, one chunk per frame. */
export class FrameEncoderStream extends TransformStream<OutgoingFrame, Uint8Array<ArrayBuffer>> {
  /** Creates a stream. */
  constructor() {
    super({
      transform(frame, controller): void {
        controller.enqueue(encodeFrame(frame.type, frame.payload));
      },
    });
  }
}
