/**
 * OSC messages and bundles of them, with the types that every tool reads: i, f and s.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { encode, Message } from "node-osc";

/** An argument; the type is always said, as 1 could be either number. */
export type OscArgument =
  | { readonly type: "f" | "i"; readonly value: number }
  | { readonly type: "s"; readonly value: string };

/** A message. */
export interface OscMessage {
  readonly address: string;
  readonly args: readonly OscArgument[];
}

/** A datagram is shorter than this, so that Ethernet need not split it. */
export const LONGEST_DATAGRAM = 1_472;
/** Longest text of an argument, in characters. */
const LONGEST_TEXT = 200;
/** The mark of a bundle, and the time tag that means now. */
const BUNDLE = Buffer.from("#bundle\0\0\0\0\0\0\0\0\x01", "latin1");

/** A message of numbers with a fraction. */
export function floats(address: string, values: Iterable<number>): OscMessage {
  return { address, args: Array.from(values, (value) => ({ type: "f", value })) };
}

/** A message of a text. */
export function text(address: string, value: string): OscMessage {
  return { address, args: [{ type: "s", value: value.slice(0, LONGEST_TEXT) }] };
}

/** One message as a datagram. */
export function encodeMessage({ address, args }: OscMessage): Uint8Array {
  return encode(new Message(address, ...args as never[]));
}

/** Messages as bundles, each shorter than a datagram may be; their order is kept. */
export function encodeBundles(messages: readonly OscMessage[]): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  let parts: Uint8Array[] = [BUNDLE];
  let length = BUNDLE.length;
  const finish = (): void => {
    if (parts.length > 1) datagrams.push(Buffer.concat(parts));
    parts = [BUNDLE];
    length = BUNDLE.length;
  };
  for (const message of messages) {
    const body = encodeMessage(message);
    if (length + 4 + body.length >= LONGEST_DATAGRAM) finish();
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    parts.push(size, body);
    length += 4 + body.length;
  }
  finish();
  return datagrams;
}

/** Foreign text as one part of an address. */
export function addressPart(level: string): string {
  // What patterns are made of, and what is not ASCII.
  return encodeURIComponent(level.toWellFormed()).replace(
    /[*!'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
