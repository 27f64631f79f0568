/** The token that the printed address carries in its fragment. */

const KEY = "rcsp.token";

/**
 * Takes the token out of the address bar and keeps it for this tab; without one there, returns the one
 * that the tab has kept. `undefined` if there is none.
 */
export function takeToken(): string | undefined {
  const fragment = location.hash.slice(1);
  if (fragment.length >= 16 && /^[\w-]+$/.test(fragment)) {
    sessionStorage.setItem(KEY, fragment);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}
