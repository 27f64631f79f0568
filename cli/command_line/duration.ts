/**
 * Times as people write them.
 *
 * @module
 */

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** `500`, `500ms`, `2s`, `1.5m`, `1h` in whole milliseconds; `undefined` for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === "") return undefined;
  return Math.round(Number(number) * UNITS.get(unit)!);
}

/** Milliseconds for people: `850 ms`, `2.5 s`, `3 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${Math.round(milliseconds / 100) / 10} s`;
  return `${Math.round(milliseconds / 6_000) / 10} min`;
}
