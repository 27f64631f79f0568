/**
 * "Did you mean": the word that a mistyped one is closest to.
 *
 * @module
 */

import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";
import type { Command } from "./command.ts";

/** The closest of `words`, if it is close enough to be what was meant. */
export function suggest(typed: string, words: readonly string[]): string | undefined {
  // Nobody means a short word by a long one, and comparing takes time.
  if (typed.length > 40) return undefined;
  const lower = typed.toLowerCase();
  const ranked = words
    .map((word) => ({ word, distance: distance(lower, word.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  if (best === undefined) return undefined;
  const allowed = Math.max(1, Math.floor(Math.min(typed.length, best.word.length) / 3));
  if (best.distance <= allowed) return best.word;
  const begun = words.filter((word) => word.startsWith(lower));
  return lower !== "" && begun.length === 1 ? begun[0] : undefined;
}

/** `". Did you mean 'list'?"`, or what else helps. */
export function hint(typed: string, words: readonly string[], otherwise: string): string {
  const meant = suggest(typed, words);
  if (meant !== undefined) return `. Did you mean '${meant}'?`;
  return otherwise === "" ? "" : `. ${otherwise}`;
}

/**
 * The one of `words` that was typed; `wrong` begins the message where it is none: `Unknown action`.
 *
 * @throws {UsageError} If it is none of them.
 */
export function oneOf<T extends string>(
  typed: string,
  words: readonly T[],
  wrong: string,
  otherwise: string,
): T {
  const found = words.find((word) => word === typed);
  if (found !== undefined) return found;
  throw new UsageError(`${wrong} ${quote(typed)}${hint(typed, words, otherwise)}`);
}

/**
 * The command of a name.
 *
 * @throws {UsageError} If there is none.
 */
export function findCommand(commands: readonly Command[], name: string): Command {
  const names = commands.map(({ name }) => name);
  const found = oneOf(name, names, "Unknown command", "Run 'rcsp help'.");
  return commands[names.indexOf(found)]!;
}

/** How many letters to put in, take out, replace or swap with their neighbour. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length]!;
}
