import { assertEquals } from "@std/assert";
import { DeadlineTimer } from "../src/timers.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";

/** A clock whose timers fire late by `late` ms. */
class LateClock extends FakeClock {
  late = 0;

  override now(): number {
    return super.now() + this.late;
  }
}

test("DeadlineTimer calls onDue at the earliest deadline, and again at the one that onDue returns", () => {
  const clock = new FakeClock();
  const rings: number[] = [];
  const alarm = new DeadlineTimer(clock, (now) => rings.push(now) < 2 ? now + 50 : Infinity);
  for (const deadline of [300, 100, 200]) alarm.set(deadline);
  clock.advance(99);
  assertEquals([rings, alarm.isSet], [[], true]);
  clock.advance(1000);
  assertEquals([rings, alarm.isSet, clock.timers], [[100, 150], false, 0]);
});

test("a DeadlineTimer that is on time is not delayed by continuing input", () => {
  const clock = new FakeClock();
  const rings: number[] = [];
  let received = 0;
  const alarm = new DeadlineTimer(clock, (now) => {
    rings.push(now);
    return Infinity;
  }, { progress: () => received++ });
  alarm.set(100);
  clock.advance(100);
  assertEquals([rings, clock.timers], [[100], 0]);
});

test("a DeadlineTimer that is late waits while input continues, for as long as it was late", () => {
  const clock = new LateClock();
  const rings: number[] = [];
  let received = 0;
  const alarm = new DeadlineTimer(clock, (now) => {
    rings.push(now, received);
    return Infinity;
  }, {
    progress: () => {
      clock.late++;
      return received < 10 ? ++received : received;
    },
  });
  alarm.set(100);
  clock.late = 30;
  clock.advance(100);
  assertEquals(rings, [130, 10]);

  [received, rings.length] = [-1000, 0];
  alarm.set(clock.now() + 100);
  clock.late += 5;
  clock.advance(100);
  const [, brought] = rings as [number, number];
  assertEquals([rings.length, brought > -1000 && brought < -980], [2, true]);
});

test("a DeadlineTimer that is cleared while it waits for input never calls onDue", () => {
  const clock = new FakeClock();
  const alarm = new DeadlineTimer(clock, () => {
    throw new Error("it rang");
  });
  alarm.set(100);
  // Falls due at the same time, but behind the alarm's timer and before its turn for I/O.
  clock.set(() => alarm.clear(), 100);
  clock.advance(1000);
  assertEquals([alarm.isSet, clock.timers], [false, 0]);
});
