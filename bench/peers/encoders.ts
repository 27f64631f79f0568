/** Variants that encode a command to bytes. */

import { Buffer } from "node:buffer";
import { concat, equals } from "@std/bytes";
import { PayloadType } from "../../src/wire/mod.ts";
import { encodeArguments, encodeCommand } from "../../src/message/command.ts";
import { FrameBatch } from "../../src/wire/encoder.ts";

/** A command to encode, each time with another `TrackId`. */
export interface SampleCommand {
  readonly id: string;
  readonly title: string;
  readonly name: string;
  readonly args: { readonly [key: string]: unknown } | undefined;
}

/** One variant. */
export interface Encoder {
  readonly name: string;
  /** Returns a function that encodes a batch of commands and returns their number. */
  readonly open: (command: SampleCommand, see?: (frame: Uint8Array) => void) => () => number;
}

/** The samples: about 64 and 105 bytes with headers. */
export const COMMANDS: readonly SampleCommand[] = [
  { id: "plain", title: "no arguments", name: "ListDevices", args: undefined },
  {
    id: "argument",
    title: "with arguments",
    name: "GetDeviceInfo",
    args: { DeviceId: "0f8fad5b-d9cb-469f" },
  },
];

// As many commands as a busy client sends per turn.
const BATCH = 64;
const text = new TextEncoder();

/** All variants. The first is the lower bound: it makes no bytes. */
export const ENCODERS: readonly Encoder[] = [
  {
    name: "JSON.stringify",
    open: (command) =>
      each((trackId) => {
        made = envelope(command, trackId);
      }),
  },
  {
    name: "ours",
    open: ({ name, args }, see) => {
      const batch = new FrameBatch();
      const fill = each((trackId) => {
        const json = encodeCommand(name, trackId, 1, encodeArguments(args));
        batch.add(PayloadType.Command, json);
      });
      return () => {
        batch.clear();
        const count = fill();
        see?.(batch.bytes.slice(0, batch.length / BATCH));
        return count;
      };
    },
  },
  {
    name: "encode + header + concat",
    open: (command, see) =>
      each((trackId) => {
        const body = text.encode(envelope(command, trackId));
        const header = new Uint8Array(8);
        const view = new DataView(header.buffer);
        view.setUint8(0, 0xdc);
        view.setUint8(1, 1);
        view.setUint8(2, 8);
        view.setUint8(3, 1);
        view.setUint32(4, body.length, true);
        const frame = concat([header, body]);
        see?.(frame);
        made = frame;
      }),
  },
  {
    name: "Buffer.allocUnsafe + write",
    open: (command, see) =>
      each((trackId) => {
        const json = envelope(command, trackId);
        const size = Buffer.byteLength(json);
        const frame = Buffer.allocUnsafe(8 + size);
        frame.writeUInt32LE(0x010801dc);
        frame.writeUInt32LE(size, 4);
        frame.write(json, 8);
        see?.(frame);
        made = frame;
      }),
  },
];

/** Prevents the compiler from removing the work. */
export let made: unknown;

/** Throws if the variants encode different bytes. */
export function checkCommands(command: SampleCommand): void {
  let expected: Uint8Array | undefined;
  for (const { name, open } of ENCODERS.slice(1)) {
    let first: Uint8Array | undefined;
    open(command, (frame) => first ??= frame)();
    expected ??= first!;
    if (first === undefined || !equals(expected, first)) {
      throw new Error(`'${name}' encodes different bytes`);
    }
  }
}

function envelope({ name, args }: SampleCommand, trackId: string): string {
  const command = { Command: name, TrackId: trackId, Version: 1 };
  return JSON.stringify(args === undefined ? command : { ...command, Arguments: args });
}

function each(make: (trackId: string) => void): () => number {
  return () => {
    for (let i = 0; i < BATCH; i++) make(String(100_000 + i));
    return BATCH;
  };
}
