import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { networkAdapters } from "./support/adapters.ts";
import { test } from "./support/test.ts";
import { checkOpenFiles, MAX_UNSENT, runThousand, THOUSAND } from "./support/thousand.ts";

const MiB = 1024 * 1024;
const CALLS = 10;
const [own] = networkAdapters;

test("with 1,000 clients, half of them mute, some never reading, all others get responses", async () => {
  const result = await runThousand(own!, THOUSAND, CALLS);
  assertStrictEquals(result.clients, 1_000);
  assertStrictEquals(result.times.length, THOUSAND.calling * CALLS);
  assertStrictEquals(result.wrong, 0);
  assertEquals(result.errors, []);
  assertStrictEquals(result.cut, THOUSAND.deaf, "who never reads is cut at maxUnsent");
  assertStrictEquals(result.left, 1_000 - THOUSAND.deaf, "and nobody else is");
  assertEquals(result.heard, Array(THOUSAND.listening).fill(result.published));
  assert(result.muteAnswered);
  // What waits for those that do not read, twice for the growth of buffers, and the buffers of clients
  // and server, which are in this one process; the rest is what a collector leaves for later.
  const bound = THOUSAND.deaf * MAX_UNSENT * 4 + 1_000 * 144 * 1024;
  assertLess(result.rss.most - result.rss.before, bound + 256 * MiB);
});

test("too low a limit of open files is reported with the number needed", async () => {
  const error = await assertRejects(() => checkOpenFiles(Number.MAX_SAFE_INTEGER), Error);
  assert(/^Cannot hold 9007199254740991 sockets as .* is \d+: run 'ulimit -n/.test(error.message));
});
