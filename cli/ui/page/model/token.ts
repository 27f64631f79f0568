/** The token that the printed address carries in its fragment. */

import { load, save } from "./storage.ts";

const KEY = "rcsp.token";
const FRAGMENT = /^#([\w-]{16,})$/;

/**
 * Takes the token out of the address bar and keeps it for this tab; without one there, returns the one
 * that the tab has kept. `undefined` if there is none.
 */
export function takeToken(): string | undefined {
  const [, token] = FRAGMENT.exec(location.hash) ?? [];
  if (token === undefined) return load("sessionStorage", KEY);
  save("sessionStorage", KEY, token);
  history.replaceState(null, "", location.pathname);
  return token;
}

/** Starts anew with the token of a bridge that was started again: only the fragment of its address differs. */
export function followToken(): void {
  addEventListener("hashchange", () => {
    if (FRAGMENT.test(location.hash)) location.reload();
  });
}
