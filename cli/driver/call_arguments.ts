/**
 * Arguments of any command.
 *
 * @module
 */

import type { JsonObject } from "@rcsp/rcsp";
import { UsageError } from "../exit_codes.ts";

/**
 * What would arrive as another number must not be sent: it may be the id of another device.
 *
 * @throws {UsageError} If there is such a number.
 */
export function checkNumbers(root: JsonObject): void {
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value === "object" && value !== null) {
      // Not spread into the arguments of a call: there may be very many.
      for (const member of Object.values(value)) rest.push(member);
    } else if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new UsageError(`The arguments hold a number too large to be exact: ${value}`);
    }
  }
}
