/**
 * `rcsp call`
 *
 * @module
 */

import { type JsonObject, type JsonValue, LIMITS } from "@rcsp/rcsp";
import type { Command, Context } from "../command_line/command.ts";
import { checkNumbers } from "../driver/call_arguments.ts";
import { UsageError } from "../exit_codes.ts";
import { fileName, parseJson, readText } from "../process/files.ts";
import { describeValue, isObject, quote } from "../text/values.ts";

/** Sends any command. */
export const call: Command = {
  name: "call",
  summary: "Send any command and print the response",
  details: `Each argument is Name=text or Name:=JSON. Or give all of them as one JSON object: as
text, as @FILE, or - for standard input. Names are case-sensitive.`,
  positionals: [
    { name: "command", about: "its name, such as ListDevices" },
    {
      name: "argument",
      about: "Name=text, Name:=JSON, '{…}', @file or -",
      optional: true,
      multiple: true,
    },
  ],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp call ListDevices", "a command without arguments"],
    ["rcsp call GetDeviceInfo DeviceId:=1", "the number 1; DeviceId=1 is the text"],
    [`rcsp call GetDeviceInfo '{"DeviceId":1}'`, "the same as a JSON object"],
    [`echo '{"DeviceId":1}' | rcsp call GetDeviceInfo -`, "from a pipe"],
  ],
  async run(context) {
    const [name = "", ...words] = context.line.positionals;
    const args = words.length === 0 ? undefined : await readArguments(context, words);
    const rcsp = await context.connect();
    await context.out.value(await rcsp.call(name, args));
  },
};

/** `Name=text` or `Name:=JSON`. */
const ITEM = /^([^@={["\s:][^=\s:]*)(:?=)(.*)$/s;

/** Reads the arguments of a command: items, or one JSON object. */
export async function readArguments(
  context: Context,
  words: readonly string[],
): Promise<JsonObject> {
  const [first = ""] = words;
  const isObjectGiven = words.length === 1 && /^(?:-$|@|\s*[[{"])/.test(first);
  const args = isObjectGiven ? await readObject(context, first) : readItems(words);
  checkNumbers(args);
  return args;
}

function readItems(words: readonly string[]): JsonObject {
  const items = new Map<string, JsonValue>();
  for (const word of words) {
    const [, name, operator, text = ""] = ITEM.exec(word) ?? [];
    if (name === undefined) {
      throw new UsageError(
        `Invalid argument ${quote(word)}: expected Name=text or Name:=JSON`,
      );
    }
    if (items.has(name)) throw new UsageError(`The argument ${quote(name)} is given twice`);
    items.set(name, operator === "=" ? text : parseItem(name, text));
  }
  return Object.fromEntries(items);
}

function parseItem(name: string, text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${quote(`${name}:=${text}`)} is not JSON after ':='. For text use '='.`;
    throw new UsageError(`Invalid argument ${message}`, { cause });
  }
}

async function readObject({ io }: Context, source: string): Promise<JsonObject> {
  const path = source === "-" ? source : source.startsWith("@") ? source.slice(1) : undefined;
  if (path === "") throw new UsageError("A file name must follow the '@'");
  // A file that is really called `-`.
  const file = path === "-" && source !== "-" ? "./-" : path;
  const text = file === undefined ? source : await readText(io, file, LIMITS.maxPayload);
  const value = parseJson(text, file === undefined ? quote(text) : fileName(file));
  if (isObject(value)) return value;
  throw new UsageError(`The arguments must be a JSON object, not ${describeValue(value)}`);
}
