import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { connectMotion } from "../motion.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { ConnectionError, ProtocolError } from "../src/errors.ts";
import type { MotionClient, MotionOptions } from "../src/motion/motion_client.ts";
import { createMotionClient, openMotionClient } from "../src/motion/motion_client.ts";
import { encodeDefinition, encodeDisconnect } from "../src/motion/frame.ts";
import { HAND_FRAME_PERIOD, SimulatedHand } from "../src/motion/simulated_hand.ts";
import type { Address, Socket } from "../src/socket/socket.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { uncaughtIn } from "./support/uncaught.ts";
import { turn, until } from "./support/wait.ts";

interface Room {
  motion: MotionClient;
  clock: FakeClock;
  /** The server's ends of all connections so far. */
  sockets: Socket[];
  hand: SimulatedHand;
  /** Sends the frames of the hand at a step of 12 ms. */
  step(step: number): Promise<void>;
}

async function withHand(
  use: (room: Room) => Promise<void>,
  options: MotionOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const clock = new FakeClock();
  const hand = new SimulatedHand({ side: "left", deviceId: 7 });
  const sockets: Socket[] = [];
  const listener = await listen({ port: 12277 }, (socket) => {
    sockets.push(socket);
    socket.write(encodeDefinition(hand.definition)).catch(() => {});
  });
  const motion = await openMotionClient(connector, options, { clock, random: () => 0 });
  try {
    await use({
      motion,
      clock,
      sockets,
      hand,
      step: async (step) => {
        const frames = hand.framesAt(step * HAND_FRAME_PERIOD);
        await sockets.at(-1)!.write(concat([...frames]));
      },
    });
  } finally {
    await motion.close();
    await listener.close();
    for (const socket of sockets) socket.close();
  }
}

test("connectMotion() knows devices and hands, and calls its listeners", () =>
  withHand(async ({ motion, step }) => {
    const seen: string[] = [];
    motion.on("definition", ({ id }) => seen.push(`definition ${id}`));
    motion.on("sample", ({ group }, { id }) => seen.push(`${group.name} ${id}`));
    await until(() => motion.devices().length === 1);
    await step(1);
    await until(() => motion.stats().samples === 2);
    assertEquals(motion.hands().map(({ side }) => side), ["left"]);
    assertEquals(seen.slice(-2).sort(), ["joints_local 7", "joints_openxr 7"]);
  }));

test("samples() has the newest only, and counts what a slow reader missed", () =>
  withHand(async ({ motion, step }) => {
    await until(() => motion.devices().length === 1);
    const samples = motion.samples(7, "joints_openxr");
    for (let n = 1; n <= 5; n++) await step(n);
    await until(() => motion.stats().samples === 10);
    const { value } = await samples.next();
    assertStrictEquals(value?.sequence, 5);
    assertStrictEquals(samples.dropped, 4);
    const next = samples.next();
    await step(6);
    assertStrictEquals((await next).value?.sequence, 6);
  }));

test("samples() has no frame twice when several come in one chunk to a reader that waits", () =>
  withHand(async ({ motion, hand, sockets }) => {
    await until(() => motion.devices().length === 1);
    const samples = motion.samples(7, "joints_openxr");
    const stamps: number[] = [];
    const reading = (async () => {
      for await (const { deviceTime } of samples) stamps.push(Number(deviceTime) / 1000);
    })();
    const frames = [12, 24, 36].flatMap((time) => hand.framesAt(time).map((each) => each.slice()));
    await sockets[0]!.write(concat(frames));
    await until(() => motion.stats().samples === 6);
    await turn();
    assertEquals([stamps, samples.dropped], [[12, 36], 1]);
    await samples.return();
    await reading;
  }));

test("samples() with every has all of them, each a copy", () =>
  withHand(async ({ motion, step }) => {
    await until(() => motion.devices().length === 1);
    const samples = motion.samples(7, "joints_local", { every: true });
    for (let n = 1; n <= 3; n++) await step(n);
    await until(() => motion.stats().samples === 6);
    const sequences = [];
    while (samples.waiting > 0) sequences.push((await samples.next()).value?.sequence);
    assertEquals(sequences, [1, 2, 3]);
  }));

test("a lost connection forgets the devices; the next one defines them again", () =>
  withHand(async ({ motion, clock, sockets, step }) => {
    const events: string[] = [];
    motion.on("disconnect", ({ id }) => events.push(`disconnect ${id}`));
    motion.on("status", ({ state }) => events.push(state));
    await until(() => motion.devices().length === 1);
    const samples = motion.samples(7, "joints_openxr");
    sockets[0]!.close();
    await until(() => motion.status.state === "reconnecting");
    assertEquals(motion.devices(), []);
    clock.advance(500);
    await until(() => motion.devices().length === 1);
    await step(1);
    assertStrictEquals((await samples.next()).value?.deviceId, 7);
    assertEquals(events, ["disconnect 7", "reconnecting", "ready"]);
    assertEquals([samples.gaps, motion.stats().reconnects], [1, 1]);
  }));

test("a device that sends nothing is stale once, after half a second", () =>
  withHand(async ({ motion, clock, step }) => {
    const stale: number[] = [];
    motion.on("stale", ({ id }) => stale.push(id));
    await until(() => motion.devices().length === 1);
    await step(1);
    await until(() => motion.stats().samples === 2);
    clock.advance(499);
    assertEquals(stale, []);
    clock.advance(1_000);
    assertEquals(stale, [7]);
    await step(2);
    await until(() => motion.devices()[0]?.stale === false);
  }));

test("a stale listener may close the client, which leaves no timer", () =>
  withHand(async ({ motion, clock, sockets, step }) => {
    await until(() => motion.devices().length === 1);
    await step(1);
    await until(() => motion.stats().samples === 2);
    clock.advance(300);
    // Defined later, it is not stale yet; then it stands first, as it comes again.
    await sockets[0]!.write(encodeDisconnect(7));
    const later = (deviceId: number): Uint8Array =>
      encodeDefinition(new SimulatedHand({ side: "right", deviceId }).definition);
    await sockets[0]!.write(later(8));
    await sockets[0]!.write(later(9));
    await until(() => motion.devices().length === 2 && motion.stats().disconnects === 1);
    clock.advance(100);
    await sockets[0]!.write(later(8));
    await until(() => motion.stats().definitions === 4);
    motion.on("stale", () => void motion.close());
    clock.advance(450);
    await motion.closed;
    assertEquals([motion.status.state, clock.timers], ["closed", 0]);
  }));

test("a disconnect message removes its device", () =>
  withHand(async ({ motion, sockets }) => {
    await until(() => motion.devices().length === 1);
    await sockets[0]!.write(encodeDisconnect(7));
    await until(() => motion.devices().length === 0);
  }));

test("a server that speaks RCSP ends the client with an error that shows it", async () => {
  const { connector, listen } = memoryNetwork();
  const listener = await listen({ port: 12277 }, (socket) => {
    socket.write(Uint8Array.of(0xdc, 1, 8, 4, 2, 0, 0, 0, 0x7b, 0x7d)).catch(() => {});
  });
  const motion = await createMotionClient(connector, { reconnect: false });
  const cause = await motion.closed;
  if (!(cause instanceof ProtocolError)) throw new Error(`${cause}`);
  assertStrictEquals(/RCSP.*12276/.test(cause.message), true, cause.message);
  assertThrows(() => motion.samples(7, 0), ConnectionError, "closed");
  await listener.close();
});

test("connectMotion() rejects if there is no server, and for invalid options", async () => {
  const { connector } = memoryNetwork();
  const error = await assertRejects(() => createMotionClient(connector), ConnectionError);
  assertStrictEquals(error.code, "connection-refused");
  await assertRejects(() => createMotionClient(connector, { port: 0 }), RangeError);
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => createMotionClient(connector, { signal }), Error, "enough");
});

test("connectMotion() connects to a text address, and refuses unknown options", async () => {
  const targets: [target: string, address: Address][] = [
    ["studio.local", { host: "studio.local", port: 12277 }],
    ["10.0.0.5:12276", { host: "10.0.0.5", port: 12276 }],
  ];
  for (const [target, address] of targets) {
    const attempts: Address[] = [];
    const connector = (to: Address) => {
      attempts.push(to);
      return Promise.reject(new Error("enough"));
    };
    await assertRejects(() => connectMotion(target, { connector }), ConnectionError, "enough");
    assertEquals(attempts, [address]);
  }
  const wrong: [options: object, message: string][] = [
    [{ prot: 1 }, "Unknown option 'prot': did you mean 'port'?"],
    [{ commandTimeout: 1 }, "Unknown option 'commandTimeout': the options are host, port, "],
    [{ host: "localhost:12277" }, "use { host, port: 12277 } or connectMotion('localhost:12277')"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => connectMotion(options), TypeError, message);
  }
});

test("close() ends everything, also while the client waits to reconnect", () =>
  withHand(async ({ motion, clock, sockets }) => {
    await until(() => motion.devices().length === 1);
    const samples = motion.samples(7, "joints_openxr");
    sockets[0]!.close();
    await until(() => motion.status.state === "reconnecting");
    await motion.close();
    assertEquals(await samples.next(), { done: true, value: undefined });
    assertStrictEquals(await motion.closed, undefined);
    assertStrictEquals(clock.timers, 0);
  }));

test("a decide() that throws ends the client with its error; one that closes it ends it", async () => {
  const ended = async (decide: (motion: MotionClient) => boolean): Promise<unknown> => {
    let client: MotionClient | undefined;
    const states: string[] = [];
    let cause: unknown;
    await withHand(async ({ motion, sockets }) => {
      client = motion;
      motion.on("status", ({ state }) => states.push(state));
      await until(() => sockets.length === 1);
      sockets[0]!.close();
      cause = await motion.closed;
      await turn();
      assertEquals(states, ["closed"]);
      assertEquals(motion.status.state, "closed");
    }, { reconnect: { decide: () => decide(client!) } });
    return cause;
  };
  const cause = await ended(() => {
    throw new ConnectionError("connection-closed", "enough");
  });
  assertEquals((cause as Error).message, "enough");
  const closed = await ended((motion) => {
    void motion.close();
    return true;
  });
  assertEquals(closed, undefined);
});

test("a first connection that is retried in vain rejects with the last error", async () => {
  let attempts = 0;
  const connector = () =>
    Promise.reject(new ConnectionError("connection-refused", `attempt ${++attempts}`));
  const reconnect = { firstConnect: true, initialDelay: 0, maxAttempts: 2 };
  await assertRejects(
    () => createMotionClient(connector, { reconnect }),
    ConnectionError,
    "attempt 3",
  );
});

test("errors thrown by onFrame and by listeners are reported, and affect nothing else", async () => {
  const script = `
    await withMotion({}, async ({ hands, play }) => {
      let isBad = true;
      const bad = () => { if (isBad) throw new Error("listener"); };
      hands.on("sample", bad);
      let good = 0;
      hands.on("sample", () => good++);
      await play(1);
      isBad = false;
      await play(1);
      answer = [hands.stats().samples === good, hands.status.state];
    }, { onFrame: (prefix) => { if (prefix === 1) throw new Error("onFrame"); } });
  `;
  const { answer, reported } = await uncaughtIn(
    "support/simulated_motion.ts",
    "{ withMotion }",
    script,
  );
  assertEquals(answer, [true, "ready"]);
  // Two devices on two ports, then two frames of two devices.
  assertEquals(reported.filter((message) => message === "onFrame").length, 4);
  assertEquals(new Set(reported), new Set(["onFrame", "listener"]));
});

test("a listener that is added by a listener hears of the next sample, not of this one", () =>
  withHand(async ({ motion, step }) => {
    const seen: unknown[] = [];
    const listenOnce = (): void => {
      const stop = motion.on("sample", (sample) => {
        seen.push(sample.sequence, sample.group.name);
        stop();
        // Without this limit a failure would be an endless loop.
        if (seen.length < 9) listenOnce();
      });
    };
    listenOnce();
    await until(() => motion.devices().length === 1);
    await step(1);
    await until(() => motion.stats().samples === 2);
    assertStrictEquals(seen.length, 4);
    assertStrictEquals(new Set(seen).size, 3);
  }));
