/**
 * The files of the page of `rcsp ui`.
 *
 * @module
 */

import { PREBUILT } from "./prebuilt_page.ts";

/** One file as the server sends it. */
export interface PageFile {
  /** The `Content-Type`. */
  readonly type: string;
  /** The content. */
  readonly body: Uint8Array<ArrayBuffer>;
}

const TYPES: readonly [suffix: string, type: string][] = [
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
];
const HTML = "text/html; charset=utf-8";

/**
 * Returns the files by their path: `/`, `/page.js` and `/page.css`. A package has them built in; a
 * checkout bundles them now.
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const encoder = new TextEncoder();
  const texts = Object.entries(PREBUILT ?? await bundle());
  return new Map(texts.map(([path, text]) => {
    const type = TYPES.find(([suffix]) => path.endsWith(suffix))?.[1] ?? HTML;
    return [path, { type, body: encoder.encode(text) }];
  }));
}

async function bundle(): Promise<Readonly<Record<string, string>>> {
  // Not a literal, so that no package contains the bundler.
  const bundler = new URL("../../dev/bundle_page.ts", import.meta.url).href;
  return await (await import(bundler)).bundlePage();
}
