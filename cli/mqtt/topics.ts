/**
 * The topics of a site, and device ids as one level of them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { DeviceId } from "@rcsp/rcsp";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** Longest level that is made of foreign text, in characters. */
const LONGEST_LEVEL = 120;
/** Characters of a longer one that are kept, in front of its hash. */
const KEPT = 80;
/** Longest prefix, in characters: far below MQTT's 65,535 bytes of a topic. */
const LONGEST_PREFIX = 200;
// What a level may not hold, what brokers and shells treat specially, and what nobody sees.
const UNSAFE = /[/+#%$~"\s\p{C}]/gu;

/** The topics below `PREFIX/SITE`. */
export class Topics {
  /** `PREFIX/SITE` */
  readonly base: string;
  /** Whether this process is online. */
  readonly status: string;
  /** The filter of the LED commands of all devices. */
  readonly anyLed: string;
  /** The filter of all calls. */
  readonly anyCall: string;
  /** The filter of the availability of all devices. */
  readonly anyAvailability: string;

  /** @throws {UsageError} If the prefix cannot begin a topic. */
  constructor(prefix: string, site: string) {
    checkPrefix(prefix);
    this.base = `${prefix}/${safeLevel(site)}`;
    this.status = `${this.base}/status`;
    this.anyLed = `${this.base}/+/led/set`;
    this.anyCall = `${this.base}/call/+`;
    this.anyAvailability = `${this.base}/+/availability`;
  }

  /** A topic of a device, such as `button`. */
  of(device: string, name: string): string {
    return `${this.base}/${device}/${name}`;
  }

  /** The level after `PREFIX/SITE` of a topic below it. */
  deviceOf(topic: string): string {
    return topic.slice(this.base.length + 1).split("/", 1)[0]!;
  }
}

/**
 * A device id as one level: the id itself where that is possible. Different ids make different levels;
 * the number 1 and the text "1" too.
 */
export function deviceLevel(id: DeviceId): string {
  const isPlain = typeof id === "string" && id.isWellFormed() && !isJson(id);
  const level = safeLevel(isPlain ? id : JSON.stringify(id));
  // `call/info` would be the topic of a call, and `hand_left` is that of a hand.
  return /^(call$|hand_)/.test(level) ? encode(level[0]!) + level.slice(1) : level;
}

/** A level with the name of its driver, where there are several. */
export function levelWith(driver: string | undefined, level: string): string {
  return driver === undefined ? level : `${safeLevel(driver)}-${level}`;
}

/** Foreign text as one level of a topic; different texts make different levels. */
export function safeLevel(text: string): string {
  const level = text.toWellFormed().replace(UNSAFE, encode) || "%";
  if (level.length <= LONGEST_LEVEL) return level;
  return `${level.slice(0, KEPT)}~${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
}

function encode(character: string): string {
  return Array.from(
    new TextEncoder().encode(character),
    (byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`,
  ).join("");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function checkPrefix(prefix: string): void {
  const isSafe = prefix.isWellFormed() && !/[+#\p{C}]|^\$/u.test(prefix);
  if (isSafe && prefix.length <= LONGEST_PREFIX && !prefix.split("/").includes("")) return;
  throw new UsageError(
    `Invalid '--prefix' ${quote(prefix)}: expected at most ${LONGEST_PREFIX} characters, without ` +
      "'+', '#', a '$' at the start, or an empty level",
  );
}
