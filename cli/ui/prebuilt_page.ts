/**
 * The page as a package contains it. `dev/bundle_page.ts` writes this file anew in what it packs.
 *
 * @module
 */

/** The texts of the page's files by their path; `undefined` in a checkout. */
export const PREBUILT: Readonly<Record<string, string>> | undefined = undefined;
