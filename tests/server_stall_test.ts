import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { StallTimer } from "../src/timers.ts";
import { PayloadType } from "../src/wire/header.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { command, OK, until, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

for (const size of [1, 7, 8, 20]) {
  test(`only a client that stops after ${size} bytes of a frame is disconnected`, () =>
    withServer({ partialFrameTimeout: 20 }, async ({ server, join, errors }) => {
      server.handle("Do", () => {});
      const [stalls, idles] = [await join(), await join()];
      assertStrictEquals((await idles.ask("Do")).type, OK);
      assertStrictEquals((await stalls.ask("Do")).type, OK);
      await stalls.write(command("2", "Do").subarray(0, size));
      assertEquals(await stalls.receiveAll(), []);
      assertStrictEquals(errors.length, 1);
      const [error] = errors;
      assertInstanceOf(error, ConnectionError);
      assertStrictEquals(error.code, "connection-stalled");
      assertStrictEquals(
        error.message,
        "Client memory was disconnected: its frame was incomplete for 20 ms",
      );
      await until(() => server.clients === 1);
      assertStrictEquals((await idles.ask("Do")).type, OK);
    }));
}

test("a client whose frame is delayed by the server is not disconnected", () =>
  withServer({ partialFrameTimeout: 10, maxQueued: 1 }, async ({ server, join, errors }) => {
    const held = Promise.withResolvers<void>();
    server.handle("Hold", () => held.promise).handle("Do", () => {});
    const client = await join();
    const next = command("2", "Do");
    const whole = new Uint8Array([...command("1", "Hold"), ...next.subarray(0, 12)]);
    await client.write(whole);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assertEquals(errors, []);
    await client.write(next.subarray(12));
    held.resolve();
    assertEquals((await client.receiveMany(2)).map(({ type }) => type), [OK, OK]);
    assertEquals(errors, []);
  }));

test("a disconnected client leaves no timer of a partial frame", () =>
  withServer({ partialFrameTimeout: 2 ** 31 - 1 }, async ({ server, join }) => {
    server.handle("Do", () => {});
    const client = await join();
    await client.write(command("1", "Do").subarray(0, 12));
    await client.write(command("1", "Do").subarray(12));
    assertStrictEquals((await client.receive()).type, OK);
    await client.close();
    await until(() => server.clients === 0);
  }));

/** A stall timer of 1000 ms on a fake clock, watching a number that the test sets. */
function stalling(): {
  clock: FakeClock;
  state: { progress: number | undefined; stalls: number };
  timer: StallTimer;
} {
  const clock = new FakeClock();
  const state: { progress: number | undefined; stalls: number } = { progress: 0, stalls: 0 };
  const timer = new StallTimer({
    timeout: 1_000,
    progress: () => state.progress,
    onStall: () => state.stalls++,
    clock,
  });
  return { clock, state, timer };
}

test("a stall is reported once, after the timeout and a last turn for bytes in the kernel", () => {
  const { clock, state, timer } = stalling();
  timer.watch();
  timer.watch();
  assertStrictEquals(clock.timers, 1);
  let stallsInLastTurn = -1;
  // Due at the same time, but after the stall timer's first look and before its turn for I/O.
  clock.set(() => stallsInLastTurn = state.stalls, 1_000);
  clock.advance(999);
  assertStrictEquals(state.stalls, 0);
  clock.advance(1);
  assertEquals([stallsInLastTurn, state.stalls, clock.timers], [0, 1, 0]);
  clock.advance(10_000);
  assertEquals([state.stalls, clock.timers], [1, 0]);
});

test("bytes that arrive in the last turn after a late timer count as progress", () => {
  const { clock, state, timer } = stalling();
  timer.watch();
  clock.set(() => state.progress = 1, 1_000);
  clock.advance(1_999);
  assertStrictEquals(state.stalls, 0);
  clock.advance(1);
  assertStrictEquals(state.stalls, 1);
});

test("with progress in every period no stall is reported, however long it takes", () => {
  const { clock, state, timer } = stalling();
  timer.watch();
  for (let i = 1; i <= 100; i++) {
    clock.advance(999);
    state.progress = i;
  }
  assertEquals([state.stalls, clock.timers], [0, 1]);
});

test("a stall timer is not set while no frame is partial, and after stop()", () => {
  const { clock, state, timer } = stalling();
  state.progress = undefined;
  timer.watch();
  assertStrictEquals(clock.timers, 0);
  state.progress = 1;
  timer.watch();
  assertStrictEquals(clock.timers, 1);
  state.progress = undefined;
  clock.advance(10_000);
  assertEquals([state.stalls, clock.timers], [0, 0]);
  state.progress = 1;
  timer.watch();
  timer.stop();
  timer.watch();
  clock.advance(10_000);
  assertEquals([state.stalls, clock.timers], [0, 0]);
});

test("a server runs its timers on the clock of a test", async () => {
  const clock = new FakeClock();
  await withServer({ handlerTimeout: 60_000, clock } as object, async ({ server, join }) => {
    server.handle("Hang", () => new Promise<void>(() => {}));
    const client = await join();
    await client.write(command("1", "Hang"));
    await until(() => clock.timers === 1);
    clock.advance(60_000);
    assertStrictEquals((await client.receive()).type, PayloadType.ResponseError);
  });
});

test("a simulator presses and answers on the clock of a test", async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const options = { pressEvery: 1_000, devices: [{ DeviceId: 1, hasButton: true }], clock };
  const simulator = new Simulator({ ...options, onError: (error) => errors.push(error) });
  let presses = 0;
  simulator.server.publish = (): number => ++presses;
  clock.advance(999);
  assertStrictEquals(presses, 0);
  clock.advance(2_001);
  assertStrictEquals(presses, 3);
  await simulator.close();
  clock.advance(10_000);
  assertEquals([presses, clock.timers, errors], [3, 0, []]);
});

test("events do not keep a client that has ended its half and waits for a response in vain", async () => {
  const clock = new FakeClock();
  await withServer({ closeTimeout: 5_000, clock } as object, async ({ server, join }) => {
    const running = Promise.withResolvers<AbortSignal>();
    server.handle("Hang", (_, { signal }) => {
      running.resolve(signal);
      return new Promise(() => {});
    });
    const client = await join();
    await client.ask("Subscribe", { Publisher: "P", Topic: "T" });
    await client.send("Hang");
    const signal = await running.promise;
    await client.socket.closeWrite();
    await until(() => signal.aborted);
    for (let second = 1; second <= 5; second++) {
      server.publish({ publisher: "P", topic: "T" });
      assertStrictEquals((await client.receive()).type, PayloadType.Event);
      clock.advance(1_000);
    }
    clock.advance(1_000);
    assertEquals(await client.receiveAll(), []);
  });
});
