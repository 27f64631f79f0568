/**
 * The runtime's `diagnostics_channel`: Deno, Bun and Node have it, browsers do not.
 *
 * @module
 */

import type { Tracing } from "../src/client/tracing.ts";

interface Process {
  getBuiltinModule?(
    name: string,
  ): { channel(name: string): NonNullable<Tracing["call"]> } | undefined;
}

/** The channels `rcsp:call` and `rcsp:connect`, or none. */
export function diagnostics(): Tracing {
  const { process } = globalThis as { process?: Process };
  const module = process?.getBuiltinModule?.("node:diagnostics_channel");
  if (module === undefined) return {};
  return { call: module.channel("rcsp:call"), connect: module.channel("rcsp:connect") };
}
