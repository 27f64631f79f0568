import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { createClient } from "../src/client/create_client.ts";
import type { Socket } from "../src/socket/socket.ts";
import { event } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const EVENTS = 100_000;
const EVENTS_A_CHUNK = 250;

/**
 * A client whose socket always has the next chunk ready, so that reads can starve everything else.
 */
async function flooded(): Promise<RcspClient> {
  const one = event({ Publisher: "P", Topic: "T" });
  const chunk = new Uint8Array(one.length * EVENTS_A_CHUNK);
  for (let i = 0; i < EVENTS_A_CHUNK; i++) chunk.set(one, i * one.length);
  const gone = Promise.withResolvers<void>();
  let left = EVENTS / EVENTS_A_CHUNK;
  const socket: Socket = {
    read: () => Promise.resolve(left-- > 0 ? chunk : null),
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    close: gone.resolve,
    closed: gone.promise,
    remote: "test",
  };
  return await createClient(() => Promise.resolve(socket), { reconnect: false });
}

test("a reader that keeps up with a flood loses no event with the default buffer", async () => {
  const rcsp = await flooded();
  const events = rcsp.events();
  let count = 0;
  try {
    for await (const { topic } of events) if (topic === "T") count++;
  } catch {
    // The flood ends with its connection.
  }
  // Events before the subscription do not count.
  assertEquals([count, events.dropped], [EVENTS - rcsp.stats().unmatched, 0]);
});

test("a reader behind a generator keeps up as well", async () => {
  const rcsp = await flooded();
  const events = rcsp.events();
  async function* topics(): AsyncGenerator<string | undefined> {
    for await (const { topic } of events) yield topic;
  }
  let count = 0;
  try {
    for await (const topic of topics()) if (topic === "T") count++;
  } catch {
    // The flood ends with its connection.
  }
  // Events before the subscription do not count.
  assertEquals([count, events.dropped], [EVENTS - rcsp.stats().unmatched, 0]);
});

test("a reader that does not read blocks nothing else", async () => {
  const rcsp = await flooded();
  const events = rcsp.events();
  await rcsp.closed;
  assertStrictEquals(events.waiting + events.dropped, EVENTS - rcsp.stats().unmatched);
  assert(events.dropped > 0);
});
