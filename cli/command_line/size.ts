/**
 * Sizes as people write them.
 *
 * @module
 */

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** `500000`, `100MB`, `1.5 GiB` in bytes; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([kmg]i?b)?$/i.exec(text) ?? [];
  const bytes = Math.round(Number(number) * UNITS[unit.toLowerCase()]!);
  return number === "" || bytes < 1 ? undefined : bytes;
}
