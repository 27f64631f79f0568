/**
 * `rcsp call`
 *
 * @module
 */

import { type JsonObject, LIMITS } from "@rcsp/rcsp";
import type { Command, Context } from "../command_line/command.ts";
import { UsageError } from "../exit_codes.ts";
import { parseJson, readText } from "../process/files.ts";
import { describeValue, isObject } from "../text/values.ts";

/** Sends any command. */
export const call: Command = {
  name: "call",
  summary: "Send any command and print the response",
  details: `The arguments are a JSON object: in the command line, in a file after an @, or
on standard input for a single -. Names are case-sensitive.`,
  positionals: [
    { name: "command", about: "its name, such as ListDevices" },
    { name: "arguments", about: "'{…}', @file or -; none are sent without", optional: true },
  ],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp call ListDevices", "a command without arguments"],
    [`rcsp call GetDeviceInfo '{"DeviceId":1}'`, "arguments in the command line"],
    ["rcsp call SetColorLed @red.json", "arguments from a file"],
    [`echo '{"DeviceId":1}' | rcsp call GetDeviceInfo -`, "arguments from a pipe"],
  ],
  async run(context) {
    const [name = "", source] = context.line.positionals;
    const args = source === undefined ? undefined : await readArguments(context, source);
    const rcsp = await context.connect();
    await context.out.value(await rcsp.call(name, args));
  },
};

async function readArguments({ io }: Context, source: string): Promise<JsonObject> {
  const path = source === "-" ? source : source.startsWith("@") ? source.slice(1) : undefined;
  if (path === "") throw new UsageError("A file name must follow the '@'");
  // A file that is really called `-`.
  const file = path === "-" && source !== "-" ? "./-" : path;
  const text = file === undefined ? source : await readText(io, file, LIMITS.maxPayload);
  const value = parseJson(text, file === undefined ? text : file === "-" ? "standard input" : file);
  if (!isObject(value)) {
    throw new UsageError(`The arguments must be a JSON object, not ${describeValue(value)}`);
  }
  checkNumbers(value);
  return value;
}

/** What would arrive as another number must not be sent: it may be the id of another device. */
function checkNumbers(root: JsonObject): void {
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
