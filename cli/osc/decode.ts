/**
 * OSC packets from outside. `decode()` of node-osc reads a message leniently and leaves out the types of
 * its arguments, which tell 1 of 255 from 1.0. So what it reads must make the same bytes again, and
 * bundles are opened here, with bounds.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { decode } from "node-osc";
import { encodeMessage, type OscArgument, type OscMessage } from "./messages.ts";

/** Longest packet that is read, in bytes. */
const LONGEST = 4_096;
const MOST_MESSAGES = 64;
const MAX_DEPTH = 4;
const BUNDLE = "#bundle\0";
/** Its mark and a time tag. */
const BUNDLE_HEAD = 16;

/**
 * Decodes a packet into its messages; bundles are opened, and their time tags ignored.
 *
 * @throws {TypeError} If it is not one.
 */
export function decodePacket(packet: Uint8Array): OscMessage[] {
  if (packet.length > LONGEST) throw new TypeError(`${packet.length} bytes: at most ${LONGEST}`);
  const messages: OscMessage[] = [];
  open(Buffer.from(packet), messages, 0);
  return messages;
}

function open(packet: Buffer, messages: OscMessage[], depth: number): void {
  if (packet.length % 4 !== 0) {
    throw new TypeError(`its ${packet.length} bytes are not a multiple of 4`);
  }
  if (packet.toString("latin1", 0, BUNDLE.length) !== BUNDLE) {
    messages.push(readMessage(packet));
    if (messages.length > MOST_MESSAGES) throw new TypeError(`more than ${MOST_MESSAGES} messages`);
    return;
  }
  if (depth === MAX_DEPTH) throw new TypeError(`bundles more than ${MAX_DEPTH} deep`);
  if (packet.length < BUNDLE_HEAD) throw new TypeError("a bundle that is cut");
  for (let at = BUNDLE_HEAD; at < packet.length;) {
    const size = at + 4 > packet.length ? -1 : packet.readInt32BE(at);
    at += 4;
    if (size <= 0 || at + size > packet.length) throw new TypeError("a bundle that is cut");
    open(packet.subarray(at, at += size), messages, depth + 1);
  }
}

function readMessage(packet: Buffer): OscMessage {
  try {
    const { address, args } = decode(packet) as unknown as OscMessage;
    const afterAddress = Math.ceil((Buffer.byteLength(address) + 1) / 4) * 4;
    const tags = packet.toString("latin1", afterAddress + 1, afterAddress + 1 + args.length);
    const typed = args.map(({ value }, i) => ({ type: tags[i], value }) as OscArgument);
    const message = { address, args: typed };
    const isPlain = address.startsWith("/") && /^[ifs]*$/.test(tags);
    if (isPlain && packet.equals(encodeMessage(message))) return message;
  } catch {
    // The sentence below says it.
  }
  throw new TypeError("a message that is malformed, or has an argument that is not i, f or s");
}
