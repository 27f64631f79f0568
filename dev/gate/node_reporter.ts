/** A reporter for `node --test` that names the file of every test, which the usual ones do not. */

import type { TestEvent } from "node:test/reporters";

/** Writes one `outcome file` line per test. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const failed = type === "test:fail";
    // Without it the event is about a file as a whole: of interest only if that has failed.
    const entryFile = "entryFile" in data ? data.entryFile : undefined;
    if (entryFile === undefined && !failed) continue;
    const idle = isSet(data.skip) || isSet(data.todo);
    yield `${idle ? "skipped" : failed ? "failed" : "passed"} ${entryFile ?? data.file}\n`;
  }
}

function isSet(option: string | boolean | undefined): boolean {
  return option !== undefined && option !== false;
}
