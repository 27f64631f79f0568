/**
 * How long to wait before the next attempt to connect. Free of any runtime.
 *
 * @module
 */

import { assertInteger } from "../check.ts";
import type { RcspError } from "../errors.ts";

/** How a lost connection is replaced. */
export interface ReconnectOptions {
  /** Milliseconds before the first attempt; each further one waits twice as long. Default: 250. */
  initialDelay?: number | undefined;
  /** Milliseconds that no wait exceeds. Default: 10000. */
  maxDelay?: number | undefined;
  /** Attempts in a row before the client gives up and closes. Default: no limit. */
  maxAttempts?: number | undefined;
  /** Whether a first connection that fails is tried again too. Default: `false`. */
  firstConnect?: boolean | undefined;
  /** Asked before each attempt; `false` closes the client. */
  decide?: ((attempt: number, cause: RcspError) => boolean) | undefined;
}

/** The same with every value in its place. */
export interface ReconnectPolicy {
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly maxAttempts: number;
  readonly firstConnect: boolean;
  readonly decide: (attempt: number, cause: RcspError) => boolean;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {RangeError} If a number is out of its range.
 */
export function reconnectPolicy(options: ReconnectOptions = {}): ReconnectPolicy {
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
 * Milliseconds before an attempt, 1 being the first: doubled each time, up to `maxDelay`, and of that
 * between a half and all by chance, so that many clients do not come back at the same moment.
 */
export function backoff(policy: ReconnectPolicy, attempt: number, random: () => number): number {
  // 2 ** 31 outgrows every delay that is allowed.
  const doubled = policy.initialDelay * 2 ** Math.min(attempt - 1, 31);
  return Math.round(Math.min(policy.maxDelay, doubled) * (1 + random()) / 2);
}
