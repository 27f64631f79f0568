/** Numbers and times as people read them, of a width that rarely changes. */

/** Milliseconds with three digits: `0.42 ms`, `12.3 ms`, `1.20 s`. */
export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return "–";
  if (milliseconds >= 100_000) return `${Math.round(milliseconds / 1_000)} s`;
  if (milliseconds >= 999.5) return `${(milliseconds / 1_000).toPrecision(3)} s`;
  if (milliseconds >= 99.95) return `${Math.round(milliseconds)} ms`;
  return `${milliseconds.toFixed(milliseconds >= 9.995 ? 1 : 2)} ms`;
}

/** The time of day with milliseconds: `14:03:22.514`. */
export function clockTime(time: number): string {
  const date = new Date(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
