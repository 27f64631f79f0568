/**
 * One device of the motion stream.
 *
 * @module
 */

import type { RcspError } from "../errors.ts";
import { DataFrame, type Sample } from "./data_frame.ts";
import type { DeviceDefinition, MotionGroup } from "./definition.ts";
import { DeviceClock, type Pace, PaceMeter } from "./device_clock.ts";
import { DATA_HEADER_SIZE } from "./frame.ts";
import { Hand, HAND_DEVICE_TYPE } from "./hand.ts";

/** What is known of one device. It stays the same object until the device disconnects. */
export interface MotionDevice {
  /** The wire's `device_id`. */
  readonly id: number;
  /** The newest definition; `undefined` if that could not be read: see `error`. */
  readonly definition: DeviceDefinition | undefined;
  /** What is wrong with the newest definition or the data since; a good definition clears it. */
  readonly error: RcspError | undefined;
  /** The hand of a `solved_hand`, with its newest poses. A new definition makes a new one. */
  readonly hand: Hand | undefined;
  /** Whether no data came for `staleAfter` milliseconds. */
  readonly stale: boolean;
  /** When data was last accepted, or else the definition: milliseconds since 1970. */
  readonly lastSeen: number;
  /** The newest sample of a group, by its name or its id; `undefined` before the first. */
  sample(group: string | number): Sample | undefined;
  /** How evenly a group arrives, by its name or its id; `undefined` if there is no such group. */
  pace(group: string | number): Pace | undefined;
}

/** Why a data frame is dropped: what counts it. */
export type DropReason = "undefinedData" | "wrongSize" | "backwards";

interface GroupState {
  readonly group: MotionGroup;
  readonly size: number;
  readonly pace: PaceMeter;
  /** The hand to update with each frame; `undefined` if its poses are the frame itself. */
  hand: Hand | undefined;
  /** Created by the first frame that fits: memory follows bytes received, not bytes claimed. */
  frame: DataFrame | undefined;
}

/** The state behind a {@link MotionDevice}. */
export class DeviceState implements MotionDevice {
  readonly id: number;
  definition: DeviceDefinition | undefined;
  error: RcspError | undefined;
  hand: Hand | undefined;
  stale = false;
  lastSeen: number;
  #groups = new Map<number, GroupState>();
  /** The same in the order of the definition: usually the id of a group is its index. */
  #inOrder: GroupState[] = [];
  #clock = new DeviceClock(undefined);

  constructor(id: number, now: number) {
    this.id = id;
    this.lastSeen = now;
  }

  /** Replaces everything from the last definition. */
  define(definition: DeviceDefinition, now: number): void {
    this.#reset(now);
    this.definition = definition;
    this.#clock = new DeviceClock(definition.timestampEpoch);
    for (const group of definition.groups) {
      const size = DATA_HEADER_SIZE + group.byteLength;
      const pace = new PaceMeter();
      this.#groups.set(group.id, { group, size, pace, hand: undefined, frame: undefined });
    }
    this.#inOrder = [...this.#groups.values()];
    if (definition.deviceType === HAND_DEVICE_TYPE) this.hand = new Hand(definition);
    this.error = this.hand?.error;
  }

  /** Forgets the last definition, as the one that replaces it cannot be read. */
  fail(error: RcspError, now: number): void {
    this.#reset(now);
    this.error = error;
  }

  /** Takes a data frame of this device, if its group is known, its size right and its time not before. */
  receive(
    groupId: number,
    payload: Uint8Array,
    now: number,
    restartAfter: number,
  ): DataFrame | DropReason {
    const expected = this.#inOrder[groupId];
    const state = expected?.group.id === groupId ? expected : this.#groups.get(groupId);
    if (state === undefined) return "undefinedData";
    if (payload.length !== state.size) return "wrongSize";
    const { pace } = state;
    if (!pace.accept(payload, now, this.#clock, restartAfter)) return "backwards";
    const frame = state.frame ??= this.#createFrame(state);
    frame.load(payload);
    frame.sequence++;
    frame.time = pace.time;
    frame.receivedAt = now;
    this.lastSeen = now;
    this.stale = false;
    state.hand?.update(frame);
    return frame;
  }

  #createFrame(state: GroupState): DataFrame {
    const frame = this.hand?.useFrame(state.group);
    if (frame !== undefined) return frame;
    state.hand = this.hand;
    return new DataFrame(this.id, state.group);
  }

  sample(group: string | number): Sample | undefined {
    return this.#find(group)?.frame;
  }

  pace(group: string | number): Pace | undefined {
    return this.#find(group)?.pace;
  }

  #find(group: string | number): GroupState | undefined {
    if (typeof group === "number") return this.#groups.get(group);
    for (const state of this.#groups.values()) if (state.group.name === group) return state;
    return undefined;
  }

  #reset(now: number): void {
    this.#groups.clear();
    this.#inOrder = [];
    this.definition = undefined;
    this.hand = undefined;
    this.error = undefined;
    this.stale = false;
    this.lastSeen = now;
  }
}
