/**
 * Reconnect options and backoff.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";
import type { RcspError } from "../errors.ts";
import { checkKeys } from "./check_keys.ts";

/** How to reconnect. */
export interface ReconnectOptions {
  /** Milliseconds before the first attempt, doubled for each further one. Default: 250. */
  initialDelay?: number | undefined;
  /** Longest delay between attempts, in milliseconds. Default: 10000. */
  maxDelay?: number | undefined;
  /** Failed attempts in a row after which the client closes. Default: no limit. */
  maxAttempts?: number | undefined;
  /** Whether to retry a failed first connection, too. Default: `false`. */
  firstConnect?: boolean | undefined;
  /** Called before each attempt; return `false` to close the client. */
  decide?: ((attempt: number, cause: RcspError) => boolean) | undefined;
}

/** The options, checked and complete. */
export type ReconnectPolicy = {
  readonly [K in keyof ReconnectOptions]-?: Exclude<ReconnectOptions[K], undefined>;
};

const KNOWN = ["initialDelay", "maxDelay", "maxAttempts", "firstConnect", "decide"];

/**
 * Checks the options and adds the defaults.
 *
 * @throws {TypeError | RangeError} If an option is unknown, or a number is out of range.
 */
export function reconnectPolicy(options: ReconnectOptions = {}): ReconnectPolicy {
  checkKeys(options, KNOWN);
  const { initialDelay = 250, maxDelay = 10_000, maxAttempts = Infinity } = options;
  for (const [name, value] of Object.entries({ initialDelay, maxDelay })) {
    assertInteger(`reconnect.${name}`, value, 0, 2 ** 31 - 1);
  }
  if (maxAttempts !== Infinity) {
    assertInteger("reconnect.maxAttempts", maxAttempts, 1, Number.MAX_SAFE_INTEGER);
  }
  const { firstConnect = false, decide = (): boolean => true } = options;
  return { initialDelay, maxDelay, maxAttempts, firstConnect, decide };
}

/**
 * Milliseconds before an attempt (the first is 1): exponential backoff up to `maxDelay`, of which a random
 * half is jitter, so that many clients do not reconnect at the same moment.
 */
export function backoff(policy: ReconnectPolicy, attempt: number, random: () => number): number {
  // 2 ** 31 exceeds every allowed delay.
  const doubled = policy.initialDelay * 2 ** Math.min(attempt - 1, 31);
  return Math.round(Math.min(policy.maxDelay, doubled) * (1 + random()) / 2);
}
