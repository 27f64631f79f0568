/**
 * Errors that our server answers with.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import { CommandError } from "../errors.ts";

/** The error that answers a command with one of the dialect's codes. */
export function refusal(
  { errorCodes }: Dialect,
  code: keyof Dialect["errorCodes"],
  Message: string,
): CommandError {
  return new CommandError({ Code: errorCodes[code], Message });
}
