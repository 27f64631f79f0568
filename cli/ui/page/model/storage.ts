/** What the page keeps. A browser may forbid it: the page works without. */

/** For the tab, or for all tabs and later visits. */
type Area = "sessionStorage" | "localStorage";

export function load(area: Area, key: string): string | undefined {
  try {
    return globalThis[area].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function save(area: Area, key: string, value: string): void {
  try {
    globalThis[area].setItem(key, value);
  } catch {
    // Forbidden, or full.
  }
}
