/**
 * What is in a recording: topics with counts, rates and gaps, presses and lost connections.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "@rcsp/rcsp";

/** Most presses and lost connections that are listed. */
const MOST_MOMENTS = 1_000;
/** Most topics that are listed. */
const MOST_TOPICS = 10_000;

/** Messages, those of one topic or all. Times are milliseconds. */
interface Span {
  messages: number;
  bytes: number;
  first: number;
  last: number;
  /** The longest time between two messages. */
  longestGap: number;
}

/** One topic. */
export interface TopicSummary extends Span {
  readonly topic: string;
  readonly encoding: string;
}

/** A press, or that a motion connection was lost, as it was recorded. */
interface Moment {
  readonly kind: "press" | "loss";
  /** Milliseconds. */
  readonly time: number;
  readonly details: JsonObject;
}

export class Summary {
  readonly format: "mcap" | "lines";
  /** Whether the file has its end. */
  isComplete = false;
  /** What the file says of itself. */
  about: JsonObject = {};
  readonly attachments: string[] = [];
  /** The first of the moments; of others `moreMoments` has the number. */
  readonly moments: Moment[] = [];
  moreMoments = 0;
  readonly #all = newSpan();
  readonly #topics = new Map<string, TopicSummary>();

  constructor(format: "mcap" | "lines") {
    this.format = format;
  }

  /** Takes a message; `time` is in milliseconds. */
  add(topic: string, encoding: string, time: number, bytes: number): void {
    extend(this.#all, time, bytes);
    let span = this.#topics.get(topic);
    if (span === undefined) {
      if (this.#topics.size >= MOST_TOPICS) return;
      span = { topic, encoding, ...newSpan() };
      this.#topics.set(topic, span);
    }
    extend(span, time, bytes);
  }

  /** Takes a moment. */
  addMoment(kind: Moment["kind"], time: number, details: JsonObject): void {
    if (this.moments.length < MOST_MOMENTS) this.moments.push({ kind, time, details });
    else this.moreMoments++;
  }

  /** How many messages there are. */
  get messages(): number {
    return this.#all.messages;
  }

  /** The time of the first message. */
  get start(): number {
    return this.messages === 0 ? 0 : this.#all.first;
  }

  /** From the first message to the last. */
  get duration(): number {
    return this.messages === 0 ? 0 : this.#all.last - this.#all.first;
  }

  /** The topics, by name. */
  topics(): TopicSummary[] {
    return [...this.#topics.values()].sort((one, other) => one.topic < other.topic ? -1 : 1);
  }

  /** All of it as JSON; times are seconds since the first message. */
  json(): JsonObject {
    const all = (kind: Moment["kind"]): JsonValue[] =>
      this.moments.filter((moment) => moment.kind === kind)
        .map(({ time, details }) => ({ time: toSeconds(time - this.start), ...details }));
    return {
      format: this.format,
      isComplete: this.isComplete,
      about: this.about,
      attachments: this.attachments,
      messages: this.messages,
      seconds: toSeconds(this.duration),
      topics: this.topics().map((topic) => ({
        topic: topic.topic,
        encoding: topic.encoding,
        messages: topic.messages,
        bytes: topic.bytes,
        first: toSeconds(topic.first - this.start),
        last: toSeconds(topic.last - this.start),
        rate: rateOf(topic),
        longestGap: toSeconds(topic.longestGap),
      })),
      presses: all("press"),
      losses: all("loss"),
    };
  }
}

function newSpan(): Span {
  return { messages: 0, bytes: 0, first: Infinity, last: -Infinity, longestGap: 0 };
}

function extend(span: Span, time: number, bytes: number): void {
  if (span.messages++ > 0) span.longestGap = Math.max(span.longestGap, time - span.last);
  span.bytes += bytes;
  span.first = Math.min(span.first, time);
  span.last = Math.max(span.last, time);
}

/** Messages a second; `null` of fewer than two. */
export function rateOf({ messages, first, last }: Span): number | null {
  if (messages < 2 || last === first) return null;
  return Math.round((messages - 1) / (last - first) * 1e6) / 1e3;
}

/** Milliseconds in seconds, to the microsecond. */
export function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e3) / 1e6;
}
