/** The program where its output cannot be written. */

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startSimulator } from "../simulator.ts";
import { recording, subscribed } from "./support/recordings.ts";
import { run, type RunResult, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

/** Runs the program within a line of shell, in which it is `"$@"`. */
function inShell(line: string, ...args: string[]): Promise<RunResult> {
  return run(["sh", "-c", line, "sh", ...runtimeCommand(program, ...args)]);
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  await use(folder).finally(() => rm(folder, { recursive: true }));
}

const FULL = "Cannot write standard output: no space left on device";

const writers: string[][] = [
  ["--version"],
  ["help"],
  ["completions", "bash"],
  ["list", "--simulate"],
  ["call", "ListDevices", "--simulate"],
  ["watch", "--simulate", "--raw"],
  ["ping", "--simulate"],
  ["ping", "--simulate", "--load", "64", "--for", "10ms"],
  ["serve", "--port", "0"],
  ["record", "-", "--simulate"],
  ["replay", "-", "--port", "0"],
  ["doctor", "--simulate"],
];

for (const args of writers) {
  test(`'rcsp ${args.join(" ")}' ends at once where the disk is full`, async () => {
    if (!existsSync("/dev/full")) return;
    await withFolder(async (folder) => {
      const file = join(folder, "in");
      await writeFile(file, recording(...subscribed([1_100])));
      const { code, stderr } = await inShell(`exec "$@" < '${file}' > /dev/full`, ...args);
      assertEquals([code, stderr.split("\n").slice(-2)], [74, [`rcsp: ${FULL}`, ""]], stderr);
    });
  });
}

test("record ends at once where the disk of its file is full", async () => {
  if (!existsSync("/dev/full")) return;
  const { code, stderr } = await inShell(
    'exec "$@"',
    ...["record", "/dev/full", "--force", "--simulate"],
  );
  assertEquals(code, 74, stderr);
  assertStringIncludes(stderr, "rcsp: Cannot write '/dev/full': no space left on device\n");
});

test("an output of which only a part could be written is a failure", async () => {
  await using simulator = await startSimulator({ port: 0 });
  simulator.server.handle("Large", () => ({ Text: "x".repeat(200_000) }));
  await withFolder(async (folder) => {
    const file = join(folder, "out");
    // Files may not grow beyond some hundred blocks: the first part of the line is written.
    const line = `trap '' XFSZ; ulimit -f 100; exec "$@" > '${file}'`;
    const port = `${simulator.address.port}`;
    const { code, stderr } = await inShell(
      line,
      "call",
      "Large",
      "--host=127.0.0.1",
      "--port",
      port,
    );
    assertEquals([code, stderr], [74, "rcsp: Cannot write standard output: file too large\n"]);
    const { length } = await readFile(file, "utf8");
    assert(length > 0 && length < 200_000, `${length}`);
  });
});

test("what goes to a file goes there whole and in order, after what is there", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "out");
    const line = `{ echo first; "$@"; echo last; } > '${file}' 2>&1`;
    const { code } = await inShell(line, "ping", "--simulate", "-c", "3", "--interval", "0");
    assertEquals(code, 0);
    const [first, ...lines] = (await readFile(file, "utf8")).trim().split("\n");
    assertEquals([first, lines.pop()], ["first", "last"]);
    assertEquals(lines.map((line) => JSON.parse(line).n), [1, 2, 3, undefined]);
  });
});

test("that talk cannot be written changes nothing", async () => {
  if (!existsSync("/dev/full")) return;
  const { code, stdout } = await inShell(
    'exec "$@" 2> /dev/full',
    ...["watch", "--simulate", "--count", "2"],
  );
  assertEquals([code, stdout.trim().split("\n").length], [0, 2]);
});
