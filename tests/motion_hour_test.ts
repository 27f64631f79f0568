import { assert, assertEquals } from "@std/assert";
import { settledHeap } from "../dev/fuzz/memory.ts";
import { openMotionClient } from "../src/motion/motion_client.ts";
import { MotionServer } from "../src/motion/motion_server.ts";
import { HAND_FRAME_PERIOD, SimulatedHand } from "../src/motion/simulated_hand.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { turn, until } from "./support/wait.ts";

const FRAMES = 3_600_000 / HAND_FRAME_PERIOD;
/** Steps of 12 ms that are sent at once, far below the server's 'maxUnsent'. */
const BURST = 500;

test("an hour of two hands from a server to a client, read and not read, grows nothing", async () => {
  const { connector, listen } = memoryNetwork();
  const clock = new FakeClock();
  const server = new MotionServer();
  const address = await server.serve(listen);
  const hands = (["left", "right"] as const).map((side, i) =>
    new SimulatedHand({ side, deviceId: i + 1 })
  );
  for (const { definition } of hands) server.define(definition);
  const motion = await openMotionClient(connector, { ...address }, { clock, random: () => 0 });
  const lazy = await connector(address); // reads nothing for the whole hour
  const [unread, read] = [motion.samples(1, "joints_local"), motion.samples(2, "joints_openxr")];
  let taken = 0;
  const reading = (async () => {
    for await (const { deviceId } of read) taken += deviceId / 2;
  })();
  await until(() => server.clients === 2 && motion.devices().length === 2);
  // The same second of motion again and again, with times that go on.
  const second = Array.from(
    { length: 83 },
    (_, i) => hands.flatMap((hand) => hand.framesAt(i * 12).map((frame) => frame.slice())),
  );
  let sent = 0;
  const run = async (to: number): Promise<void> => {
    while (sent < to) {
      for (const end = sent + BURST; sent < end; sent++) {
        clock.advance(HAND_FRAME_PERIOD);
        for (const frame of second[sent % 83]!) {
          new DataView(frame.buffer).setBigUint64(16, BigInt(sent * 12_000), true);
          server.send(frame);
        }
      }
      await until(() => motion.stats().samples === 4 * sent);
    }
  };
  await run(FRAMES / 10);
  const before = await settledHeap();
  await run(FRAMES);
  const grown = await settledHeap() - before;
  assert(grown < 4 * 1024 * 1024, `${grown} bytes`);
  await turn();
  // The hour in bursts: the reader takes at least the newest of each, and knows how many it missed.
  assert(taken >= FRAMES / BURST, `${taken}`);
  assertEquals(taken + read.dropped, FRAMES);
  assertEquals([unread.waiting, unread.dropped], [1, FRAMES - 1]);
  assertEquals((await unread.next()).value?.sequence, FRAMES);
  const { samples, backwards, wrongSize, undefinedData } = motion.stats();
  assertEquals({ samples, backwards, wrongSize, undefinedData }, {
    samples: 4 * FRAMES,
    backwards: 0,
    wrongSize: 0,
    undefinedData: 0,
  });
  // Of the client that does not read, a frame of each group is kept and a batch is in flight.
  assert(server.stats().skipped > 4 * (FRAMES - 2 * BURST), `${server.stats().skipped}`);
  await motion.close();
  await reading;
  lazy.close();
  await server.close();
  assertEquals(clock.timers, 0);
});
