/** Variants that decode chunks to parsed objects. */

import { Buffer } from "node:buffer";
import { concat } from "@std/bytes";
import { decode, type LengthDecoderFunction } from "it-length-prefixed";
import { LIMITS } from "../../mod.ts";
import { FrameDecoder } from "../../src/wire/mod.ts";
import { parseBody } from "../../src/message/json.ts";
import type { CutStream } from "../support/frames.ts";
import { cutFront } from "./concatenating.ts";
import { sizeAt } from "./peer.ts";

/** Receives each object. */
export type ObjectSink = (object: unknown) => void;

/** One variant. */
export interface Decoder {
  readonly name: string;
  /** Returns a function that decodes the whole stream and returns the number of messages. */
  readonly open: (stream: CutStream, sink: ObjectSink) => () => number;
}

const decoder = new TextDecoder();
const fatal = new TextDecoder("utf-8", { fatal: true });

/** All variants. The first is the lower bound: it parses ready strings. */
export const DECODERS: readonly Decoder[] = [
  {
    name: "JSON.parse",
    open: ({ payloads }, sink) => {
      // Decoded here, so that they are flat strings like those of the other variants.
      const texts = payloads.map((payload) => decoder.decode(payload));
      return () => {
        for (const text of texts) sink(JSON.parse(text));
        return texts.length;
      };
    },
  },
  {
    name: "ours",
    open: ({ chunks, payloads }, sink) => {
      const frames = new FrameDecoder();
      const { maxDepth } = LIMITS;
      return () => {
        for (const chunk of chunks) {
          frames.push(chunk, (_type, payload) => sink(parseBody(payload, maxDepth)));
        }
        return payloads.length;
      };
    },
  },
  {
    name: "ours + fatal TextDecoder",
    open: ({ chunks, payloads }, sink) => {
      const frames = new FrameDecoder();
      return () => {
        for (const chunk of chunks) {
          frames.push(chunk, (_type, payload) => sink(JSON.parse(fatal.decode(payload))));
        }
        return payloads.length;
      };
    },
  },
  {
    name: "concatenating + new TextDecoder",
    open: ({ chunks, payloads }, sink) => () => {
      let rest: Uint8Array = new Uint8Array(0);
      for (const chunk of chunks) {
        rest = cutFront(concat([rest, chunk]), (_type, payload) => {
          sink(JSON.parse(new TextDecoder().decode(payload)));
        });
      }
      return payloads.length;
    },
  },
  {
    name: "Buffer.toString per message",
    open: ({ buffers, payloads }, sink) => () => {
      let rest = Buffer.alloc(0);
      for (const chunk of buffers) {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        while (at + 8 <= bytes.length) {
          const end = at + 8 + sizeAt(bytes, at);
          if (end > bytes.length) break;
          sink(JSON.parse(bytes.toString("utf8", at + 8, end)));
          at = end;
        }
        rest = Buffer.from(bytes.subarray(at));
      }
      return payloads.length;
    },
  },
  {
    name: "it-length-prefixed",
    open: ({ chunks, payloads }, sink) => {
      const lengthDecoder: LengthDecoderFunction = (bytes) => {
        if (bytes.length < 8) throw new RangeError("Too short");
        return sizeAt(bytes.subarray(0, 8), 0);
      };
      lengthDecoder.bytes = 8;
      return () => {
        for (const message of decode(chunks, { lengthDecoder })) {
          sink(JSON.parse(decoder.decode(message.subarray())));
        }
        return payloads.length;
      };
    },
  },
];

/** Throws if an object differs from the input. */
export function checkObjects({ name, open }: Decoder, stream: CutStream, body: string): void {
  let seen = 0;
  open(stream, (object) => {
    seen++;
    if (JSON.stringify(object) !== body) {
      throw new Error(`Object ${seen} of '${name}' differs from the input`);
    }
  })();
  if (seen !== stream.payloads.length) throw new Error(`'${name}' emitted ${seen} objects`);
}
