/**
 * Unknown options.
 *
 * @module
 */

import { quote } from "../escape.ts";

/** @throws {TypeError} If an option is unknown. */
export function checkKeys(options: object, known: readonly string[]): void {
  const key = Object.keys(options).find((key) => !known.includes(key));
  if (key === undefined) return;
  const lower = key.toLowerCase();
  const meant = known.find((name) => isTypoOf(lower, name.toLowerCase()));
  const hint = meant === undefined
    ? `: the options are ${known.join(", ")}`
    : `: did you mean '${meant}'?`;
  throw new TypeError(`Unknown option ${quote(key)}${hint}`);
}

/** Whether two words differ in case, by a swap of neighbors, or by at most two letters. */
function isTypoOf(word: string, known: string): boolean {
  let start = 0;
  while (start < word.length && word[start] === known[start]) start++;
  let end = 0;
  const most = Math.min(word.length, known.length) - start;
  while (end < most && word.at(-1 - end) === known.at(-1 - end)) end++;
  return Math.max(word.length, known.length) - start - end <= 2 && start + end > 1;
}
