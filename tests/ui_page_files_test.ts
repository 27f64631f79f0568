/** The files of the page of `rcsp ui`, as the bridge serves them. */

import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { type PageFile, pageFiles } from "../cli/ui/page_files.ts";
import { test } from "./support/test.ts";

/** All files together, in bytes. */
const BUDGET = 60_000;

const files = await pageFiles();

function textOf(path: string): string {
  return new TextDecoder().decode(files.get(path)?.body);
}

test("pageFiles() returns the page, its script and its style with their types", () => {
  const types = Array.from(files, ([path, { type }]: [string, PageFile]) => [path, type]);
  assertEquals(types.sort(), [
    ["/", "text/html; charset=utf-8"],
    ["/page.css", "text/css; charset=utf-8"],
    ["/page.js", "text/javascript; charset=utf-8"],
  ]);
});

test("the page stays within its budget of 60 kB, gzipped", () => {
  const size = [...files.values()].reduce((sum, { body }) => sum + gzipSync(body).length, 0);
  assert(size < BUDGET, `it has ${size} bytes`);
});

test("the page has no inline script, style or handler, which its policy refuses", () => {
  const html = textOf("/");
  assert(!/<style|\sstyle=|\son\w+=|javascript:/i.test(html));
  for (const [, attributes, content] of html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)) {
    assert(attributes!.includes('src="/page.js"'));
    assertEquals(content, "");
  }
});

test("the page names no other origin, and makes no markup of text", () => {
  for (const path of files.keys()) {
    const text = textOf(path).replaceAll("http://www.w3.org/2000/svg", "");
    assertEquals(text.match(/\bhttps?:\/\/[^"'`\s)]*/g), null);
    assert(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.test(text));
  }
});
