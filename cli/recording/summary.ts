/**
 * What is in a recording: topics with counts, rates and gaps, and the presses.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "@rcsp/rcsp";

/** Most presses that are listed. */
const MOST_PRESSES = 1_000;
/** Most topics that are listed. */
const MOST_TOPICS = 10_000;

/** One topic. Times are milliseconds. */
export interface TopicSummary {
  readonly topic: string;
  readonly encoding: string;
  messages: number;
  bytes: number;
  first: number;
  last: number;
  /** The longest time between two messages. */
  longestGap: number;
}

export class Summary {
  /** Messages so far. */
  messages = 0;
  /** Presses so far; of the first of them `pressList` has the details. */
  presses = 0;
  readonly pressList: { readonly time: number; readonly press: JsonObject }[] = [];
  readonly #topics = new Map<string, TopicSummary>();
  #first = Infinity;
  #last = -Infinity;

  /** Takes a message; `time` is in milliseconds. */
  add(topic: string, encoding: string, time: number, bytes: number): void {
    this.messages++;
    this.#first = Math.min(this.#first, time);
    this.#last = Math.max(this.#last, time);
    const known = this.#topics.get(topic);
    if (known === undefined) {
      if (this.#topics.size >= MOST_TOPICS) return;
      const start = { messages: 1, bytes, first: time, last: time, longestGap: 0 };
      this.#topics.set(topic, { topic, encoding, ...start });
      return;
    }
    known.messages++;
    known.bytes += bytes;
    known.longestGap = Math.max(known.longestGap, time - known.last);
    known.last = Math.max(known.last, time);
  }

  /** Takes a press as it was recorded. */
  addPress(time: number, press: JsonObject): void {
    if (this.presses++ < MOST_PRESSES) this.pressList.push({ time, press });
  }

  /** The time of the first message. */
  get start(): number {
    return this.messages === 0 ? 0 : this.#first;
  }

  /** From the first message to the last. */
  get duration(): number {
    return this.messages === 0 ? 0 : this.#last - this.#first;
  }

  /** The topics, by name. */
  topics(): TopicSummary[] {
    return [...this.#topics.values()].sort((one, other) => one.topic < other.topic ? -1 : 1);
  }

  /** All of it as JSON; times are seconds since the first message. */
  json(): JsonObject {
    return {
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
      presses: this.pressList.map(({ time, press }): JsonValue => ({
        time: toSeconds(time - this.start),
        ...press,
      })),
    };
  }
}

/** Messages a second; `null` of fewer than two. */
export function rateOf({ messages, first, last }: TopicSummary): number | null {
  if (messages < 2 || last === first) return null;
  return Math.round((messages - 1) / (last - first) * 1e6) / 1e3;
}

/** Milliseconds in seconds, to the microsecond. */
export function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e3) / 1e6;
}
