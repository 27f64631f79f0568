/** What the page of `rcsp ui` knows, apart from its elements. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { duration } from "../cli/ui/page/format.ts";
import { History, parseCommand } from "../cli/ui/page/model/command_line.ts";
import { deviceFacts, ledColor } from "../cli/ui/page/model/device_fields.ts";
import { FrameNames } from "../cli/ui/page/model/frame_names.ts";
import { type MessageKind, MessageLog } from "../cli/ui/page/model/message_log.ts";
import { axisTop, RoundTrips, STRIP_SPAN } from "../cli/ui/page/model/round_trips.ts";
import { test } from "./support/test.ts";

const ALL = { text: "", events: true, commands: true, polls: true };

function logged(name: string, kind: MessageKind = "event", isPoll = false, json = "{}") {
  return { time: 0, kind, name, json, isPoll };
}

test("deviceFacts() finds the likely names and lists every other field", () => {
  const facts = deviceFacts({
    DeviceId: 1,
    Name: "Glove",
    Type: "Smartglove",
    Side: "Left",
    BatteryLevel: 80,
    FirmwareVersion: "1.2.3",
    Odd: [1],
  });
  assertEquals(facts, {
    name: "Glove",
    type: "Smartglove",
    side: "left",
    battery: 80,
    firmware: "1.2.3",
    others: [["DeviceId", 1], ["Odd", [1]]],
  });
});

test("deviceFacts() lists a field whose value does not fit its name", () => {
  const { name, battery, others } = deviceFacts({ DeviceId: "a", Name: 5, Battery: 300 });
  assertEquals([name, battery], ["Device a", undefined]);
  assertEquals(others, [["DeviceId", "a"], ["Name", 5], ["Battery", 300]]);
});

test("deviceFacts() takes no name of white space", () => {
  const { name, others } = deviceFacts({ DeviceId: 7, Name: " \t" });
  assertEquals([name, others], ["Device 7", [["DeviceId", 7], ["Name", " \t"]]]);
});

test("deviceFacts() keeps a field named __proto__ a field", () => {
  const fields = JSON.parse('{"DeviceId":1,"__proto__":{"Name":"evil"}}');
  const { name, others } = deviceFacts(fields);
  assertEquals(name, "Device 1");
  assertEquals(others.map(([key]) => key), ["DeviceId", "__proto__"]);
});

test("ledColor() reads a color only where it has the shape of SetColorLed", () => {
  const led = { LedId: "RingLed", Red: 1, Green: 2, Blue: 3 };
  assertEquals(ledColor({ Leds: [led] }, "RingLed"), { Red: 1, Green: 2, Blue: 3 });
  assertEquals(ledColor({ Leds: [{ ...led, Red: 256 }] }, "RingLed"), undefined);
  assertEquals(ledColor({ Leds: "RingLed" }, "RingLed"), undefined);
});

test("parseCommand() reads a name, and arguments after it", () => {
  assertEquals(parseCommand(" ListDevices "), { name: "ListDevices", args: undefined });
  assertEquals(parseCommand('X{"a":1}'), { name: "X", args: { a: 1 } });
});

test("parseCommand() reports what is wrong", () => {
  assertThrows(() => parseCommand("  "), Error, "Type a command");
  assertThrows(() => parseCommand("X {"), Error, "The arguments are not JSON");
  assertThrows(() => parseCommand("X [1]"), Error, "The arguments must be an object");
});

test("the history goes back and forth and brings back what was typed", () => {
  const history = new History(["a", "b"]);
  assertEquals(history.move(-1, "draft"), "b");
  assertEquals(history.move(-1, "b"), "a");
  assertEquals(history.move(-1, "a"), "a");
  assertEquals(history.move(1, "a"), "b");
  assertEquals(history.move(1, "b"), "draft");
});

test("the history keeps 50 lines, and no line twice in a row", () => {
  const history = new History();
  for (let i = 0; i < 60; i++) for (let twice = 0; twice < 2; twice++) history.add(String(i));
  assertEquals(history.lines.length, 50);
  assertEquals(history.lines[0], "10");
});

test("the log keeps the newest messages, bounded in number and in size", () => {
  const log = new MessageLog();
  for (let i = 0; i < 10_000; i++) log.add(logged(String(i)));
  assertEquals(log.size, 2_000);
  assertEquals(log.newest(ALL, 1)[0]?.name, "9999");
  for (let i = 0; i < 10; i++) log.add(logged("long", "event", false, "x".repeat(1_000_000)));
  assertEquals(log.size, 4);
});

test("the page's own polls push no other message out of the log", () => {
  const log = new MessageLog();
  log.add(logged("ButtonPushed"));
  for (let i = 0; i < 10_000; i++) log.add(logged("GetDeviceInfo", "ok", true));
  log.add(logged("SetColorLed", "command"));
  assertEquals(log.newest(ALL, 2).map(({ name }) => name), ["SetColorLed", "GetDeviceInfo"]);
  const names = log.newest({ ...ALL, polls: false }, 10).map(({ name }) => name);
  assertEquals(names, ["SetColorLed", "ButtonPushed"]);
  assertEquals(log.newest(ALL, 10_000).at(-1)?.name, "ButtonPushed");
});

test("the log filters by kind and by text, whatever its case", () => {
  const log = new MessageLog();
  log.add(logged("ButtonPushed", "event", false, '{"PressType":"LongPress"}'));
  log.add(logged("SetColorLed", "command"));
  log.add(logged("ListDevices", "command", true));
  const names = (filter: Partial<typeof ALL>) =>
    log.newest({ ...ALL, ...filter }, 10).map(({ name }) => name);
  assertEquals(names({}), ["ListDevices", "SetColorLed", "ButtonPushed"]);
  assertEquals(names({ polls: false, events: false }), ["SetColorLed"]);
  assertEquals(names({ text: "longpress" }), ["ButtonPushed"]);
});

test("a response has the name of its command, and is a poll only if nobody asked for it", () => {
  const names = new FrameNames();
  const command = '{"Command":"ListDevices","TrackId":"1"}';
  assertEquals(names.describe(1, command).isPoll, true);
  const done = names.asked("ListDevices");
  assertEquals(names.describe(1, command.replace("1", "2")).isPoll, false);
  done();
  assertEquals(names.describe(3, '{"TrackId":"2"}'), {
    kind: "error",
    name: "ListDevices",
    isPoll: false,
  });
  assertEquals(names.describe(2, '{"TrackId":"1"}').isPoll, true);
  assertEquals(names.describe(2, "no JSON").name, "Response");
  assertEquals(names.describe(4, '{"Topic":"ButtonPushed"}').name, "ButtonPushed");
});

test("the round trips of the last two minutes stay, and a missing answer is none", () => {
  const trips = new RoundTrips();
  for (let i = 0; i <= 10; i++) trips.add({ at: i * STRIP_SPAN / 5, value: i });
  assertEquals(trips.all.length, 6);
  assertEquals([trips.newest, trips.quantile(0.5), trips.quantile(1)], [10, 8, 10]);
  trips.add({ at: 10 * STRIP_SPAN / 5, value: undefined });
  assertEquals(trips.newest, undefined);
});

test("the axis ends at 1, 2 or 5 times a power of ten", () => {
  assertEquals([0, 1, 1.5, 3, 7, 40, 900].map(axisTop), [1, 1, 2, 5, 10, 50, 1000]);
});

test("duration() has three digits and a unit", () => {
  const shown = [null, 0, 0.412, 9.999, 12.34, 99.96, 999.6, 61_000, 200_000].map(duration);
  assertEquals(shown, [
    "–",
    "0.00 ms",
    "0.41 ms",
    "10.0 ms",
    "12.3 ms",
    "100 ms",
    "1.00 s",
    "61.0 s",
    "200 s",
  ]);
  assert(duration(undefined) === "–");
});
