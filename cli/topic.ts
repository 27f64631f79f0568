/**
 * Topics as arguments.
 *
 * @module
 */

import type { EventFilter } from "../src/message/event.ts";
import { quote } from "../src/escape.ts";
import { UsageError } from "./exit.ts";

/**
 * `DeviceEvents/ButtonPushed`
 *
 * @throws {UsageError} If there is no slash with something on both sides.
 */
export function parseTopic(text: string): Pick<EventFilter, "publisher" | "topic"> {
  const [, publisher, topic] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (publisher !== undefined && topic !== undefined) return { publisher, topic };
  throw new UsageError(
    `${quote(text)} is no topic: one is a publisher and a topic, such as DeviceEvents/ButtonPushed`,
  );
}
