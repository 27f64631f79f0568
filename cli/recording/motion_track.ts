/**
 * One motion stream on its way into a recording: every frame as it came, and what is derived of the
 * hands in it.
 *
 * @module
 */

import {
  type Hand,
  type LocalJoints,
  MotionPrefix,
  MotionRegistry,
  type OpenXrJoints,
  type Sample,
} from "@rcsp/rcsp/motion";
import { HandDrawing, jointsMessage, toTime } from "./hand_messages.ts";
import type { ChannelInfo } from "./mcap_encoder.ts";
import type { Times } from "./mcap_file.ts";
import {
  DEFINITION_TOPIC,
  DISCONNECT_TOPIC,
  handChannel,
  type MotionStreamName,
  rgmpChannel,
  strayChannel,
} from "./mcap_schemas.ts";

/** Milliseconds between two drawings of a hand. */
const DRAW_EVERY = 1_000 / 30;
const HEADER = 8;
const DATA_HEADER = 16;
const LATEST = 2n ** 63n - 1n;
const encoder = new TextEncoder();

/** Takes a message. */
export type AddMessage = (
  channel: ChannelInfo,
  times: Times,
  data: Uint8Array,
  isEssential?: boolean,
) => void;

interface HandTrack {
  readonly hand: Hand;
  readonly set: OpenXrJoints | LocalJoints;
  readonly side: string;
  readonly drawing: HandDrawing;
  /** When it is drawn next. */
  due: number;
}

export class MotionTrack {
  readonly #stream: MotionStreamName;
  readonly #add: AddMessage;
  readonly #registry: MotionRegistry;
  /** The newest definition of each device that is there. */
  readonly #definitions = new Map<number, Uint8Array>();
  readonly #hands = new Map<number, HandTrack>();
  #sample: Sample | undefined;
  #defined: number | undefined;

  /** Creates a track that hands its messages to `add`. */
  constructor(stream: MotionStreamName, add: AddMessage) {
    this.#stream = stream;
    this.#add = add;
    this.#registry = new MotionRegistry({
      onSample: (sample) => void (this.#sample = sample),
      onDefinition: ({ id }) => void (this.#defined = id),
      onError: (_error, device) => {
        // A definition that cannot be read replaces the one before: no later file begins with that.
        if (device !== undefined && device.definition === undefined) this.#forget(device.id);
      },
      onDisconnect: ({ id }) => this.#forget(id),
    });
  }

  /** Records a frame that came at `now`, milliseconds since 1970. */
  receive(prefix: MotionPrefix, payload: Uint8Array, now: number): void {
    this.#sample = this.#defined = undefined;
    const known = prefix === MotionPrefix.Disconnect && this.#definitions.has(readId(payload));
    this.#registry.receive(prefix, payload, now);
    const log = toNanoseconds(now);
    if (this.#defined !== undefined) {
      this.#definitions.set(this.#defined, payload.slice());
      this.#hands.delete(this.#defined);
      return this.#addDefinition(this.#defined, payload, log);
    }
    const sample = this.#sample as Sample | undefined;
    const publish = sample === undefined ? log : toNanoseconds(sample.time);
    const channel = known
      ? rgmpChannel(this.#stream, readId(payload), DISCONNECT_TOPIC)
      : this.#channel(prefix, payload);
    this.#add(channel, { log, publish }, wholeFrame(prefix, payload), prefix !== MotionPrefix.Data);
    if (sample !== undefined) this.#addHand(sample, { log, publish }, now);
  }

  /** Writes the definitions of all devices that are there again, as a new file begins. */
  repeat(now: number): void {
    for (const [id, payload] of this.#definitions) {
      this.#addDefinition(id, payload, toNanoseconds(now));
    }
  }

  /** Forgets all devices, as their connection has ended. */
  clear(): void {
    this.#registry.clear();
  }

  #forget(id: number): void {
    this.#definitions.delete(id);
    this.#hands.delete(id);
  }

  #addDefinition(id: number, payload: Uint8Array, log: bigint): void {
    const channel = rgmpChannel(this.#stream, id, DEFINITION_TOPIC);
    this.#add(channel, { log, publish: log }, payload, true);
  }

  #channel(prefix: MotionPrefix, payload: Uint8Array): ChannelInfo {
    if (prefix !== MotionPrefix.Data || payload.length < DATA_HEADER) {
      return strayChannel(this.#stream);
    }
    const device = this.#registry.device(readId(payload));
    const groupId = readId(payload, 4);
    const group = device?.definition?.groups.find(({ id }) => id === groupId);
    // Not in a channel of its own: whoever sends it chooses the numbers.
    if (device === undefined || group === undefined) return strayChannel(this.#stream);
    const isTaken = ["", DEFINITION_TOPIC, DISCONNECT_TOPIC].includes(group.name);
    return rgmpChannel(this.#stream, device.id, isTaken ? `group_${groupId}` : group.name);
  }

  #addHand(sample: Sample, times: Times, now: number): void {
    const track = this.#hand(sample.deviceId);
    if (track === undefined || sample.group !== track.set.group) return;
    const { hand, set, side, drawing } = track;
    const time = toTime(times.publish);
    const add = (what: "joints" | "tf" | "scene", message: unknown): void =>
      this.#add(handChannel(side, what), times, encoder.encode(JSON.stringify(message)));
    if (set === hand.openXr) add("joints", jointsMessage(hand.deviceId, set, time));
    if (now < track.due) return;
    // On average as often as said, whatever the rate of the frames.
    if (now - track.due > DRAW_EVERY) track.due = now;
    track.due += DRAW_EVERY;
    const { tf, scene } = drawing.draw(time);
    add("tf", tf);
    add("scene", scene);
  }

  #hand(id: number): HandTrack | undefined {
    const known = this.#hands.get(id);
    if (known !== undefined) return known;
    const hand = this.#registry.device(id)?.hand;
    const set = hand?.openXr ?? hand?.local;
    if (hand === undefined || set?.wrist === undefined) return undefined;
    const side = hand.side ?? `device_${id}`;
    const track = { hand, set, side, drawing: new HandDrawing(side, set), due: 0 };
    this.#hands.set(id, track);
    return track;
  }
}

function readId(payload: Uint8Array, offset = 0): number {
  if (payload.length < offset + 4) return -1;
  return new DataView(payload.buffer, payload.byteOffset).getUint32(offset, true);
}

/** Milliseconds since 1970 in nanoseconds, within what an MCAP file can hold. */
export function toNanoseconds(milliseconds: number): bigint {
  const nanoseconds = BigInt(Math.round(Math.max(milliseconds, 0) * 1e6));
  return nanoseconds > LATEST ? LATEST : nanoseconds;
}

/** The bytes of a frame as they were on the wire. */
export function wholeFrame(prefix: MotionPrefix, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, prefix, true);
  view.setUint32(4, payload.length, true);
  frame.set(payload, HEADER);
  return frame;
}
