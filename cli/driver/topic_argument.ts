/**
 * Topics as arguments.
 *
 * @module
 */

import type { EventFilter } from "@rcsp/rcsp";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/**
 * `DeviceEvents/ButtonPushed`
 *
 * @throws {UsageError} If there is no slash with something on both sides.
 */
export function parseTopic(text: string): Pick<EventFilter, "publisher" | "topic"> {
  const [, publisher, topic] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (publisher !== undefined && topic !== undefined) return { publisher, topic };
  throw new UsageError(
    `Invalid topic ${quote(text)}: expected publisher/topic, such as DeviceEvents/ButtonPushed`,
  );
}
