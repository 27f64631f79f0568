/** How a replay waits for its moments. */

import { assert, assertEquals } from "@std/assert";
import { Pacer } from "../cli/recording/pacer.ts";
import { settledHeap } from "../dev/fuzz/memory.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";

test("a pacer keeps nothing of the moments that have passed, and ends with its client", async () => {
  const { connector, listen } = memoryNetwork();
  const listener = await listen({ port: 1 }, () => {});
  const socket = await connector({ host: "x", port: 1 });
  const clock = new FakeClock();
  const pacer = new Pacer(clock, socket);
  const wait = async (moments: number): Promise<void> => {
    for (let i = 0; i < moments; i++) {
      const there = pacer.until(clock.now() + 12);
      clock.advance(12);
      assertEquals(await there, true);
    }
  };
  await wait(10_000);
  const before = await settledHeap();
  await wait(100_000);
  const grown = await settledHeap() - before;
  assert(grown < 4_000_000, `${grown}`);
  const last = pacer.until(clock.now() + 12);
  socket.close();
  assertEquals(await last, false);
  assertEquals(clock.timers, 0);
  await listener.close();
});
