/** Python's `struct.unpack` as a variant: the same stream, read in a process of its own. */

import { Buffer } from "node:buffer";
import { concat } from "@std/bytes";
import { start } from "../../tests/support/runtime.ts";
import type { HandStream } from "./stream.ts";

/** A Python process that reads a stream. */
export interface PythonReader {
  /** Reads the stream once. Rejects if what it read differs. */
  pass(): Promise<void>;
  /** Ends the process. */
  end(): Promise<void>;
}

const LIFETIME = 15 * 60_000;

/** Starts Python 3 and hands it the stream. */
export function startPython({ chunks, values }: HandStream): PythonReader {
  const script = new URL("./unpack.py", import.meta.url).pathname;
  const child = start(["python3", "-B", script], { timeout: LIFETIME });
  const stream = Buffer.from(concat(chunks)).toString("base64");
  child.write(`${chunks[0]!.length}\n${stream}\n`);
  const expected = values.length * values[0]!.length;
  const sum = values.reduce((total, [first]) => total + first!, 0);
  return {
    async pass(): Promise<void> {
      child.write("read\n");
      const [count, total] = (await child.nextLine()).split(" ").map(Number);
      if (count !== expected || total !== sum) throw new Error(`Python read ${count} values`);
    },
    end: async () => void await child.end(),
  };
}
