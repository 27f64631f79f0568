/** A reporter for `node --test` that names the file of every test, which the usual ones do not. */

import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** Writes one `#outcome file` line a test, and what is worth reading about those that failed. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name, file, skip, todo } = data;
    // A file without tests is reported as if it were a test.
    if (file === undefined || file.endsWith(name)) {
      if (type === "test:fail") yield `#failed ${file}\n${inspect(data.details.error)}\n`;
      continue;
    }
    const idle = (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false);
    const outcome = idle ? "skipped" : type === "test:pass" ? "passed" : "failed";
    if (type === "test:fail") yield `${name}\n${inspect(data.details.error)}\n`;
    yield `#${outcome} ${file}\n`;
  }
}
