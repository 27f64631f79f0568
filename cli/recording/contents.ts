/**
 * What a recording is once it is read.
 *
 * @module
 */

import type { JsonObject } from "@rcsp/rcsp";
import type { PayloadType } from "@rcsp/rcsp/wire";
import { isObject } from "../text/values.ts";

/** What was sent by the driver, to go out as it came: the text of JSON, or bytes that are none. */
export type Body = string | Uint8Array;

/** An answer that was recorded. */
export interface RecordedAnswer {
  readonly type: PayloadType;
  readonly body: Body;
  /** Where the `TrackId` of the command that it answered is in its text. */
  readonly trackId: { readonly start: number; readonly end: number } | undefined;
}

/** An event that was recorded. */
export interface RecordedEvent {
  /** Milliseconds since the start of the recording. */
  readonly time: number;
  readonly body: Body;
}

/** A connection that was recorded. */
export interface RecordedConnection {
  /** When its first subscription was answered; its first line if there was none. */
  anchor: number;
  /** Whether there was one. */
  subscribed: boolean;
  readonly events: RecordedEvent[];
}

/** A whole recording. */
export interface Recording {
  /** By `commandKey()`, in the order of the recording. */
  readonly answers: ReadonlyMap<string, readonly RecordedAnswer[]>;
  /** Those that had events, in their order. */
  readonly connections: readonly RecordedConnection[];
  /** When its last line was recorded, in milliseconds. */
  readonly end: number;
  /** What is odd about it but does no harm, in words. */
  readonly warnings: readonly string[];
}

/** What makes two commands the same: name and arguments, in any order of their keys. */
export function commandKey({ Command, Arguments }: JsonObject): string | undefined {
  if (typeof Command !== "string") return undefined;
  return JSON.stringify([Command, sorted(Arguments ?? {})]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.keys(value).sort().map((key) => [key, sorted(value[key])]);
}
