/** Names of options: one or more. */
type Names<N extends string> = N | readonly N[];

/** What `parseArgs()` shall know of the options. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D = Record<string, unknown>,
> {
  /** Puts what follows `--` into `"--"` instead of `_`. */
  "--"?: boolean;
  alias?: Record<string, string | readonly string[]>;
  /** Options without a value: `false` unless given. */
  boolean?: Names<B>;
  /** Options that may be repeated: their values are gathered in an array. */
  collect?: Names<C>;
  default?: D;
  /** Options that `--no-name` sets to `false`. */
  negatable?: Names<string>;
  /** Takes everything after the first argument that is no option as it is. */
  stopEarly?: boolean;
  string?: Names<S>;
  /** Called for whatever is not declared; `false` leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What `parseArgs()` found. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D = unknown,
> =
  & { [K in B]: boolean }
  & { [K in Extract<S, C>]: string[] }
  & { [K in Exclude<S, C>]: K extends keyof D ? string | D[K] : string | undefined }
  & { [name: string]: unknown; _: (string | number)[]; "--"?: string[] };

/** Parses command line arguments. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Record<string, unknown> = Record<never, unknown>,
>(args: readonly string[], options: ParseOptions<B, S, C, D> = {}): Args<B, S, C, D> {
  const family = aliasFamilies(options.alias ?? {});
  const expand = (names?: Names<string>) => new Set(listOf(names).flatMap((name) => family(name)));
  const booleans = expand(options.boolean);
  const strings = expand(options.string);
  const collected = expand(options.collect);
  const negatables = expand(options.negatable);
  const aliased = new Set(Object.keys(options.alias ?? {}).flatMap((name) => family(name)));
  const result = new Map<string, unknown>();
  const positionals: (string | number)[] = [];

  const set = (name: string, value: unknown): void => {
    for (const key of family(name)) {
      const before = result.get(key);
      const gather = collected.has(key);
      result.set(key, gather ? [...(Array.isArray(before) ? before : []), value] : value);
    }
  };
  const take = (name: string, value: unknown, arg: string): void => {
    const known = [booleans, strings, collected, aliased].some((names) => names.has(name));
    if (!known && options.unknown?.(arg, name, value) === false) return;
    set(name, typeof value === "string" && !strings.has(name) ? numberOr(value) : value);
  };
  const takePositional = (arg: string): void => {
    if (options.unknown?.(arg) !== false) positionals.push(strings.has("_") ? arg : numberOr(arg));
  };

  const rest = [...args];
  const dashes = rest.indexOf("--");
  const afterDashes = dashes === -1 ? [] : rest.splice(dashes).slice(1);
  while (rest.length > 0) {
    const arg = rest.shift() ?? "";
    const option = /^(--?)([^=]+)(?:=(.*))?$/s.exec(arg);
    if (option === null || /^-\d/.test(arg)) {
      takePositional(arg);
      if (options.stopEarly) positionals.push(...rest.splice(0));
      continue;
    }
    const [, dash, text = "", inline] = option;
    const letters = dash === "-" ? [...text] : [text];
    const name = letters.pop() ?? "";
    for (const letter of letters) take(letter, strings.has(letter) ? "" : true, arg);
    const positive = name.replace(/^no-/, "");
    const next = rest[0];
    if (dash === "--" && inline === undefined && name !== positive && negatables.has(positive)) {
      set(positive, false);
    } else if (booleans.has(name)) {
      const isValue = inline === undefined && (next === "true" || next === "false");
      take(name, (isValue ? rest.shift() : inline) !== "false", arg);
    } else if (inline !== undefined) {
      take(name, inline, arg);
    } else if (next !== undefined && !/^-[^\d]/.test(next)) {
      take(name, rest.shift(), arg);
    } else {
      take(name, strings.has(name) ? "" : true, arg);
    }
  }

  for (const [name, value] of Object.entries(options.default ?? {})) {
    for (const key of family(name)) if (!result.has(key)) result.set(key, value);
  }
  for (const name of booleans) if (!result.has(name)) result.set(name, false);
  for (const name of collected) if (!result.has(name)) result.set(name, []);
  const separate = options["--"] ? { "--": afterDashes } : {};
  if (!options["--"]) positionals.push(...afterDashes);
  return { ...Object.fromEntries(result), _: positionals, ...separate } as Args<B, S, C, D>;
}

/** For a name: itself and every other name of the same option. */
function aliasFamilies(alias: Record<string, string | readonly string[]>) {
  const families = Object.entries(alias).map(([name, others]) => [name, ...listOf(others)]);
  return (name: string): string[] => families.find((names) => names.includes(name)) ?? [name];
}

function listOf(names: Names<string> | undefined): readonly string[] {
  return typeof names === "string" ? [names] : names ?? [];
}

function numberOr(text: string): string | number {
  return /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i.test(text)
    ? Number(text)
    : text;
}
