import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { ProtocolError } from "../src/errors.ts";
import type { MotionDevice } from "../motion.ts";
import type { MotionFaults } from "../simulator.ts";
import { type MotionRoom, withMotion } from "./support/simulated_motion.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

/** Plays 100 frames, then 500 with a fault that is switched on at run time. */
function withFault(
  faults: MotionFaults,
  check: (room: MotionRoom, device: MotionDevice) => Promise<void>,
): Promise<void> {
  return withMotion({ seed: 4 }, async (room) => {
    await room.play(100);
    room.simulator.motion!.faults = faults;
    await room.play(500);
    await check(room, room.hands.devices()[0]!);
  });
}

test("gaps are counted by the client", () =>
  withFault({ gaps: 0.2 }, async ({ play, simulator }, device) => {
    const { frames, gaps, interval } = device.pace("joints_openxr")!;
    // Gaps that follow one another count once.
    assert(gaps > 50 && gaps < 110, `${gaps}`);
    assert(frames > 450 && frames < 550, `${frames}`);
    assert(interval > 12 && interval < 18, `${interval}`);
    simulator.motion!.faults = {};
    await play(2);
    const after = device.pace("joints_openxr")!.gaps;
    await play(100);
    assertEquals(device.pace("joints_openxr")!.gaps, after);
  }));

test("jitter is measured by the client, and leaves the time stamps as they are", () =>
  withMotion({}, async ({ hands, play, simulator }) => {
    await play(200);
    const pace = hands.devices()[0]!.pace("joints_openxr")!;
    assert(pace.jitter < 0.01);
    simulator.motion!.faults = { jitter: 8 };
    await play(300, 1);
    assert(pace.jitter > 1 && pace.jitter < 5, `${pace.jitter} ms`);
    assertEquals(pace.gaps, 0);
    assert(Math.abs(pace.interval - 12) < 1e-6);
    simulator.motion!.faults = {};
    await play(200);
    assert(pace.jitter < 0.01);
  }));

test("a stall makes the devices stale once, and the client recovers", () =>
  withMotion({}, async ({ simulator, hands, play }) => {
    const stale: number[] = [];
    hands.on("stale", ({ id }) => stale.push(id));
    await play(100);
    simulator.motion!.faults = { stall: true };
    await play(200);
    assertEquals([stale, hands.devices().map(({ stale }) => stale)], [[1, 2], [true, true]]);
    simulator.motion!.faults = {};
    await play(2);
    assertEquals([stale, hands.devices().map(({ stale }) => stale)], [[1, 2], [false, false]]);
    assertEquals(hands.devices()[0]!.pace("joints_openxr")!.gaps, 1);
  }));

test("duplicate times are accepted, and the time of the samples repeats", () => {
  const times: { [id: number]: [bigint, number][] } = { 1: [], 2: [] };
  return withMotion({ motion: { faults: { duplicateTimes: 0.3 } } }, async ({ hands, play }) => {
    hands.on("sample", ({ deviceId, group, deviceTime, time }) => {
      if (group.name === "joints_openxr") times[deviceId]!.push([deviceTime, time]);
    });
    await play(500);
    for (const seen of Object.values(times)) {
      const repeated = seen.filter(([stamp, time], i) =>
        stamp === seen[i - 1]?.[0] && time === seen[i - 1]?.[1]
      );
      assert(repeated.length > 100 && repeated.length < 200, `${repeated.length}`);
    }
    assertEquals(hands.stats().backwards, 0);
  });
});

test("frames whose time goes backwards are dropped and counted", () =>
  withFault({ backwardTimes: 0.1 }, ({ hands }, device) => {
    const { backwards } = device.pace("joints_openxr")!;
    assert(backwards > 25 && backwards < 80, `${backwards}`);
    const counted = hands.devices().flatMap((device) =>
      ["joints_local", "joints_openxr"].map((group) => device.pace(group)!.backwards)
    );
    assertEquals(hands.stats().backwards, counted.reduce((sum, count) => sum + count));
    return Promise.resolve();
  }));

test("a solver without joints_openxr is an error of the devices, which a new definition clears", () =>
  withMotion({}, async ({ simulator, hands, play }) => {
    const errors: string[] = [];
    hands.on("error", ({ message }, device) => errors.push(`${device?.id}: ${message}`));
    await play(10);
    const definitions = hands.stats().definitions;
    simulator.motion!.faults = { noOpenXr: true };
    await play(10);
    assertEquals(errors.length, 2);
    assertMatch(errors[0]!, /^1: .*--emit-openxr/);
    for (const { error, hand } of hands.devices()) {
      assert(error !== undefined && hand!.openXr === undefined);
      assert(hand!.measure() !== undefined, "joints_local can still be used");
    }
    simulator.motion!.faults = {};
    await play(10);
    assertEquals(hands.devices().map(({ error }) => error), [undefined, undefined]);
    assert(hands.hands()[0]!.openXr !== undefined);
    assertEquals([hands.stats().definitions - definitions, errors.length], [4, 2]);
  }));

test("a simulator may begin without joints_openxr", () =>
  withMotion({ motion: { faults: { noOpenXr: true } } }, async ({ hands, play }) => {
    await play(1);
    assertEquals(hands.hands().map(({ openXr }) => openXr), [undefined, undefined]);
    assertEquals(hands.stats().definitions, 2);
  }));

test("garbage ends the connection; the client reports why and reconnects", () =>
  withMotion({ motion: { faults: { garbageAfter: 200_000 } } }, async (room) => {
    const { simulator, hands, clock } = room;
    const causes: unknown[] = [];
    hands.on("status", (status) => {
      if (status.state === "reconnecting") causes.push(status.cause);
    });
    await until(() => (clock.advance(12), causes.length >= 2));
    assertInstanceOf(causes[0], ProtocolError);
    simulator.motion!.faults = {};
    clock.advance(1_000);
    await until(() => hands.status.state === "ready");
    const { samples, reconnects } = hands.stats();
    assertEquals(reconnects, 2);
    await until(() => (clock.advance(12), hands.stats().samples > samples + 10));
    assertEquals(hands.hands().length, 2);
  }));
