/**
 * Command lines: what they may contain, and reading one. `parseArgs` of `node:util` takes them apart;
 * what it cannot say (ranges, environment names, what was probably meant) is said here.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";
import { parseDuration } from "./duration.ts";
import { hint } from "./suggest.ts";

/** A flag of a command. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string | undefined;
  /**
   * `boolean` has no value, `host` takes a name or an address, `integer` an integer, `duration` a time
   * such as `2s`, which becomes milliseconds.
   */
  readonly kind: "boolean" | "text" | "host" | "integer" | "duration";
  /** The placeholder of the value in the help: `N`. */
  readonly value?: string | undefined;
  /** What it does, in a few words that begin small. */
  readonly about: string;
  /** What holds without it, in words. Default: nothing is said of it. */
  readonly default?: string | undefined;
  /** The least and the most that a number may be; of a duration in milliseconds. */
  readonly range?: readonly [least: number, most: number] | undefined;
  /** The only values that it takes. */
  readonly choices?: readonly string[] | undefined;
  /** Whether its value, a text, may be left out; it follows `=` then. Without it the text is empty. */
  readonly optional?: boolean | undefined;
  /** Whether it may be given several times; otherwise the last one counts. */
  readonly multiple?: boolean | undefined;
  /** The environment variable that holds where the flag is not given. */
  readonly env?: string | undefined;
  /** A flag without which it means nothing. */
  readonly needs?: string | undefined;
  /** Flags that it cannot be combined with. */
  readonly excludes?: readonly string[] | undefined;
}

/** An argument that is not a flag. */
export interface Positional {
  /** As in the synopsis. */
  readonly name: string;
  /** What it is, in a few words that begin small. */
  readonly about: string;
  /** Whether it may be left out. */
  readonly optional?: boolean | undefined;
  /** Whether any number of them may follow; only the last can. */
  readonly multiple?: boolean | undefined;
  /** What a shell completes it to. */
  readonly choices?: readonly string[] | undefined;
}

/** Longest timer of every runtime, in milliseconds. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** A name, or an IPv6 address with or without brackets; no port, no URL. */
const HOST = /^[^\s:/[\]]+$|^(?:[\da-f]*:){2,}[^\s:/[\]]*$|^\[(?:[\da-f]*:){2,}[^\s:/[\]]*\]$/i;

type Value = boolean | string | number;

/** A checked command line. Asking for a flag that was not declared is a mistake. */
export interface CommandLine {
  /** The arguments that are not flags. */
  readonly positionals: readonly string[];
  /** Whether a flag is in the command line itself, not in the environment. */
  typed(name: string): boolean;
  /** Whether a switch is on. */
  on(name: string): boolean;
  /** The value of a flag of kind `text` or `host`. */
  text(name: string): string | undefined;
  /** All values of a flag of kind `text`. */
  texts(name: string): readonly string[];
  /** The value of a flag that is a number; a duration is in milliseconds. */
  number(name: string): number | undefined;
}

/** What a command line is read against. */
export interface LineRules {
  readonly flags: readonly Flag[];
  readonly positionals: readonly Positional[];
  readonly env: (name: string) => string | undefined;
  /** What shows how it is done: `rcsp help led`. */
  readonly help: string;
}

/** One argument as `parseArgs` sees it. */
export interface Token {
  readonly kind: "option" | "positional" | "option-terminator";
  readonly index: number;
  readonly name?: string | undefined;
  readonly rawName?: string | undefined;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** Takes arguments apart without judging them. */
export function tokens(args: readonly string[], flags: readonly Flag[]): Token[] {
  const options = Object.fromEntries(flags.map(({ name, short, kind, optional }) => {
    const type = kind === "boolean" || optional ? "boolean" as const : "string" as const;
    return [name, short === undefined ? { type } : { type, short }];
  }));
  const parsed = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  return parsed.tokens as Token[];
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} If it is wrong.
 */
export function readCommandLine(args: readonly string[], rules: LineRules): CommandLine {
  const flags = new Map(rules.flags.map((flag) => [flag.name, flag]));
  const words: string[] = [];
  const values = new Map<string, Value[]>();
  const typed = new Set<string>();
  for (const token of tokens(args, rules.flags)) {
    if (token.kind === "positional") words.push(token.value ?? "");
    if (token.kind !== "option") continue;
    const flag = flags.get(token.name ?? "");
    if (flag === undefined) throw unknownFlag(token.rawName ?? "", rules);
    const value = checkValue(flag, token, rules);
    typed.add(flag.name);
    values.set(flag.name, flag.multiple ? [...values.get(flag.name) ?? [], value] : [value]);
  }
  for (const flag of rules.flags) {
    if (flag.env === undefined || typed.has(flag.name)) continue;
    const text = rules.env(flag.env);
    // An empty variable is how shells unset one.
    if (text) values.set(flag.name, [convert(flag, text, flag.env)]);
  }
  for (const { name, needs, excludes = [] } of rules.flags.filter(({ name }) => typed.has(name))) {
    if (needs !== undefined && !typed.has(needs)) {
      throw new UsageError(`'--${name}' needs '--${needs}'`);
    }
    const other = excludes.find((other) => typed.has(other));
    if (other === undefined) continue;
    throw new UsageError(`Cannot use '--${other}' together with '--${name}'`);
  }
  checkWords(words, rules);
  const all = (name: string, ...kinds: Flag["kind"][]): readonly Value[] => {
    const flag = flags.get(name);
    if (flag !== undefined && kinds.includes(flag.kind)) return values.get(name) ?? [];
    throw new TypeError(`The command declares no flag '${name}' of kind ${kinds.join(", ")}`);
  };
  const texts = (name: string) => all(name, "text", "host") as readonly string[];
  return {
    positionals: words,
    typed: (name) => typed.has(name),
    on: (name) => all(name, "boolean").at(-1) === true,
    text: (name) => texts(name).at(-1),
    texts,
    number: (name) => all(name, "integer", "duration").at(-1) as number | undefined,
  };
}

function checkWords(words: readonly string[], { positionals: wanted, help }: LineRules): void {
  const missing = wanted[words.length];
  if (missing !== undefined && !missing.optional) {
    throw new UsageError(`Missing <${missing.name}>. Run '${help}'.`);
  }
  const empty = words.indexOf("");
  if (empty >= 0) {
    // A variable of a script that is not set.
    const { name } = wanted[empty] ?? wanted.at(-1)!;
    throw new UsageError(`<${name}> is empty. Run '${help}'.`);
  }
  const surplus = words[wanted.length];
  if (surplus !== undefined && !wanted.at(-1)?.multiple) {
    throw new UsageError(`Unexpected argument ${quote(surplus)}. Run '${help}'.`);
  }
}

function checkValue(flag: Flag, { rawName, value, inlineValue }: Token, rules: LineRules): Value {
  if (flag.kind === "boolean") {
    if (value === undefined) return true;
    throw new UsageError(`'--${flag.name}' takes no value. Run '${rules.help}'.`);
  }
  if (flag.optional && value === undefined) return "";
  const swallowed = !inlineValue && /^-[^\d.]/.test(value ?? "");
  if (value === undefined || value === "" || swallowed) {
    throw new UsageError(`'${rawName}' needs a value. Run '${rules.help}'.`);
  }
  return convert(flag, value, rawName ?? flag.name);
}

/** `source` is what to call the flag, or its environment variable, in a message. */
function convert(flag: Flag, text: string, source: string): Value {
  const wrong = (rule: string): UsageError =>
    new UsageError(`Invalid '${source}' ${quote(text)}: expected ${rule}`);
  if (flag.kind === "boolean") return true;
  if (flag.kind === "host") {
    if (HOST.test(text)) return text;
    throw wrong("a name or an address; a port has a flag of its own");
  }
  if (flag.kind === "text") {
    if (flag.choices === undefined || flag.choices.includes(text)) return text;
    throw wrong(`${flag.choices.join(", ")}${hint(text, flag.choices, "")}`);
  }
  const [least, most] = flag.range ?? [0, Infinity];
  if (flag.kind === "duration") {
    const time = parseDuration(text);
    if (time !== undefined && time >= least && time <= most) return time;
    const bound = time === undefined ? "" : time < least ? "longer " : "shorter ";
    throw wrong(`a ${bound}time, such as 500ms or 2s`);
  }
  const number = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most && Number.isFinite(number)) return number;
  const bounds = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `from ${least}`;
  throw wrong(`an integer ${bounds}`);
}

/** For a flag that nobody declared. */
export function unknownFlag(
  flag: string,
  { flags, help }: Pick<LineRules, "flags" | "help">,
): UsageError {
  const names = flags.map(({ name }) => `--${name}`);
  return new UsageError(`Unknown flag ${quote(flag)}${hint(flag, names, `Run '${help}'.`)}`);
}
