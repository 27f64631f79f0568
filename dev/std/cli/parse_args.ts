/** Names of options: one or more. */
type Names<N extends string> = N | readonly N[];

/** Declares the options for `parseArgs()`. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  D = Record<string, unknown>,
> {
  alias?: Record<string, string | readonly string[]>;
  /** Options without a value. Default: `false`. */
  boolean?: Names<B>;
  default?: D;
  string?: Names<S>;
  /**
   * Called for each undeclared option, and, without `key`, for each argument that is not an option;
   * not for arguments after `--`. Return `false` to omit it from the result.
   */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Result of `parseArgs()`. */
export type Args<B extends string = never, S extends string = never, D = unknown> =
  & { [K in B]: boolean }
  & { [K in S]: K extends keyof D ? string | D[K] : string | undefined }
  & { [name: string]: unknown; _: (string | number)[] };

/** Parses command line arguments. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const D extends Record<string, unknown> = Record<never, unknown>,
>(args: string[], options: ParseOptions<B, S, D> = {}): Args<B, S, D> {
  const namesOf = aliases(options.alias ?? {});
  const expand = (names: Names<string> = []) => new Set(listOf(names).flatMap(namesOf));
  const booleans = expand(options.boolean);
  const strings = expand(options.string);
  const declared = new Set([...booleans, ...strings, ...expand(Object.keys(options.alias ?? {}))]);
  const result: Record<string, unknown> & { _: (string | number)[] } = { _: [] };

  const set = (name: string, value: unknown, arg: string): void => {
    if (!declared.has(name) && options.unknown?.(arg, name, value) === false) return;
    const typed = strings.has(name) ? value : numberOr(value);
    for (const key of namesOf(name)) result[key] = typed;
  };
  const positional = (arg: string): void => {
    if (options.unknown?.(arg) !== false) result._.push(numberOr(arg) as string | number);
  };

  const rest = [...args];
  const dashes = rest.indexOf("--");
  const untouched = dashes === -1 ? [] : rest.splice(dashes).slice(1);
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, dash, text = ""] = /^(--?)(.+)$/s.exec(arg) ?? [];
    // An option whose value is the next argument, or `true`, or an empty text.
    const setByNext = (name: string, isValue: (next: string) => boolean): void => {
      const [next = ""] = rest;
      const takes = booleans.has(name) ? /^(?:true|false)$/.test(next) : next && isValue(next);
      const value = takes ? rest.shift() : strings.has(name) ? "" : true;
      set(name, booleans.has(name) ? value !== "false" : value, arg);
    };
    if (dash === undefined) {
      positional(arg);
    } else if (dash === "--") {
      const [, name, value] = /^(.[^=]*)=(.+)$/s.exec(text) ?? [];
      if (name === undefined) setByNext(text, (next) => !next.startsWith("-"));
      else set(name, booleans.has(name) ? value !== "false" : value, arg);
    } else {
      // `-h=1` and `-n5` give the first letter a value; else all are options of their own.
      const [, letter, ...values] = /^([a-z])(?:.*?=(.+)|(.*\d\.?))$/i.exec(text) ?? [];
      const letters = [...text];
      const last = letters.pop()!;
      if (letter !== undefined) {
        set(letter, values[0] ?? values[1], arg);
      } else {
        for (const letter of letters) set(letter, strings.has(letter) ? "" : true, arg);
        setByNext(last, (next) => !/^--?[^-]/.test(next));
      }
    }
  }

  for (const [name, value] of Object.entries(options.default ?? {})) {
    for (const key of namesOf(name)) if (!Object.hasOwn(result, key)) result[key] = value;
  }
  for (const name of booleans) if (!Object.hasOwn(result, name)) result[name] = false;
  result._.push(...untouched);
  return result as Args<B, S, D>;
}

/** For a name: itself and every other name of the same option. */
function aliases(alias: Record<string, string | readonly string[]>): (name: string) => string[] {
  const families = Object.entries(alias).map(([name, others]) => [name, ...listOf(others)]);
  return (name) => families.find((names) => names.includes(name)) ?? [name];
}

function listOf(names: Names<string>): readonly string[] {
  return typeof names === "string" ? [names] : names;
}

function numberOr(value: unknown): unknown {
  const isNumber = typeof value === "string" && /\S/.test(value) && Number.isFinite(Number(value));
  return isNumber ? Number(value) : value;
}
