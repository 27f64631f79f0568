import { Buffer } from "node:buffer";
import { assertEquals, assertThrows } from "@std/assert";
import { decode } from "node-osc";
import { sideOf } from "../cli/driver/device_side.ts";
import { HandLimiter } from "../cli/driver/hand_stream.ts";
import { decodePacket } from "../cli/osc/decode.ts";
import {
  addressPart,
  encodeBundles,
  encodeMessage,
  floats,
  LONGEST_DATAGRAM,
  type OscMessage,
  text,
} from "../cli/osc/messages.ts";
import type { MotionDevice } from "../src/motion/device.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("a message is its address, its type tags and its arguments, each padded to 4 bytes", () => {
  assertEquals(
    Buffer.from(encodeMessage(text("/rokoko/left/button", "SinglePress"))).toString("latin1"),
    "/rokoko/left/button\0,s\0\0SinglePress\0",
  );
  assertEquals(
    hex(encodeMessage(floats("/a", [1, 0.5]))),
    "2f610000" + "2c666600" + "3f800000" + "3f000000",
  );
  assertEquals(
    hex(encodeMessage({ address: "/b", args: [{ type: "i", value: -1 }] })),
    "2f620000" + "2c690000" + "ffffffff",
  );
});

test("a bundle has the time tag of now, and a size before each message", () => {
  const [bundle] = encodeBundles([floats("/a", [1])]);
  assertEquals(
    hex(bundle!),
    "2362756e646c6500" + "0000000000000001" + "0000000c" + "2f610000" + "2c660000" + "3f800000",
  );
  assertEquals(encodeBundles([]), []);
});

test("bundles are shorter than a datagram, keep the order, and lose nothing", () => {
  for (const count of [1, 20, 21, 60, 500]) {
    const messages = Array.from(
      { length: count },
      (_, i) => floats(`/rokoko/left/joint/joint_${i}`, [i, 0, 0, 0, 0, 0, 1]),
    );
    const bundles = encodeBundles(messages);
    assertEquals(bundles.every(({ length }) => length < LONGEST_DATAGRAM), true);
    assertEquals(bundles.flatMap(decodePacket), messages as OscMessage[]);
  }
});

test("what we write is read by node-osc, and what we read is the same", () => {
  const message: OscMessage = {
    address: "/x",
    args: [{ type: "s", value: "häß" }, { type: "i", value: 1 }, { type: "f", value: 1 }],
  };
  const bytes = encodeMessage(message);
  const { address, args } = decode(Buffer.from(bytes)) as unknown as {
    address: string;
    args: unknown[];
  };
  assertEquals([address, args], ["/x", [{ value: "häß" }, { value: 1 }, { value: 1 }]]);
  assertEquals(decodePacket(bytes), [message]);
});

const latin = (value: string): Uint8Array => Buffer.from(value, "latin1");
const bundleHead = "#bundle\0\0\0\0\0\0\0\0\x01";

const malformed: [why: string, packet: Uint8Array][] = [
  ["nothing", latin("")],
  ["one byte", latin("/")],
  ["not a multiple of 4", latin("/a\0\0,")],
  ["no end of the address", latin("/abc")],
  ["no slash", latin("abc\0,\0\0\0")],
  ["no comma", latin("/a\0\0abc\0")],
  ["no end of the type tags", latin("/a\0\0,fff")],
  ["no argument", latin("/a\0\0,f\0\0")],
  ["half a text", latin("/a\0\0,s\0\0abcd")],
  ["more than its tags", latin("/a\0\0,\0\0\0abcd")],
  ["a blob", latin("/a\0\0,b\0\0\0\0\0\0")],
  ["an unknown type", latin("/a\0\0,?\0\0")],
  ["text that is not UTF-8", latin("/a\0\0,s\0\0\xc0\x80\xff\0")],
  ["half a time tag", latin("#bundle\0\0\0\0\0")],
  ["a size beyond the end", latin(`${bundleHead}\0\0\0\x10/a\0\0`)],
  ["a size below 0", latin(`${bundleHead}\xff\xff\xff\xfc/a\0\0`)],
  ["a size of 0", latin(`${bundleHead}\0\0\0\0`)],
  ["a size of 2", latin(`${bundleHead}\0\0\0\x02/a\0\0`)],
  ["5,000 bytes", new Uint8Array(5_000)],
];

test("a malformed packet is refused in one sentence", () => {
  for (const [why, packet] of malformed) {
    const { message } = assertThrows(() => decodePacket(packet), TypeError, undefined, why);
    assertEquals(/^[\x20-\x7e]{5,100}$/.test(message), true, message);
  }
});

test("bundles in bundles are opened up to a depth, and hold so many messages at most", () => {
  let packet: Uint8Array = encodeMessage(text("/a", "x"));
  for (let depth = 1; depth <= 5; depth++) {
    const size = Buffer.alloc(4);
    size.writeInt32BE(packet.length);
    packet = Buffer.concat([latin(bundleHead), size, packet]);
    const inner = packet;
    if (depth <= 4) assertEquals(decodePacket(inner).length, 1);
    else assertThrows(() => decodePacket(inner), TypeError, "deep");
  }
  const [many] = encodeBundles(Array.from({ length: 65 }, () => ({ address: "/a", args: [] })));
  assertThrows(() => decodePacket(many!), TypeError, "more than 64 messages");
});

test("every cut and every changed byte of a packet is read or refused, nothing else", () => {
  const [packet] = encodeBundles([text("/rokoko/left/led", "red"), floats("/a", [1, 2, 3])]);
  for (let i = 0; i < packet!.length; i++) {
    for (const changed of [packet!.slice(0, i), packet!.with(i, 255), packet!.with(i, 0)]) {
      try {
        decodePacket(changed);
      } catch (error) {
        assertEquals(error instanceof TypeError, true, `${i}: ${error}`);
      }
    }
  }
});

test("foreign text in an address has no sign of a pattern", () => {
  assertEquals(addressPart("a b*c,d/e?f[g]h{i}#j"), "a%20b%2Ac%2Cd%2Fe%3Ff%5Bg%5Dh%7Bi%7D%23j");
  assertEquals(addressPart("\ud800"), "%EF%BF%BD");
});

test("the side of a device is a word in one of its fields", () => {
  assertEquals(sideOf({ Side: "Left" }), "left");
  assertEquals(sideOf({ Name: "Smartglove Right" }), "right");
  assertEquals(sideOf({ Side: "Right", Name: "left" }), "right");
  assertEquals(sideOf({ Name: "glove_left_2" }), "left");
  for (const Name of ["", "Leftover", "Bright", "left or right", 5, null, "left".repeat(1_000)]) {
    assertEquals(sideOf({ Name }), undefined);
  }
  assertEquals(sideOf(JSON.parse('{"__proto__":{"Side":"left"}}')), undefined);
});

test("a hand is sent at most so often, the newest pose always", () => {
  const clock = new FakeClock();
  const sent: number[] = [];
  const limiter = new HandLimiter(clock, 20, () => sent.push(clock.now()));
  const device = {} as MotionDevice;
  const start = clock.now();
  for (let time = 0; time < 1_200; time += 12) {
    limiter.add(device);
    clock.advance(12);
  }
  assertEquals(sent.length <= 61 && sent.length >= 55, true, `${sent.length}`);
  sent.slice(1).forEach((time, i) => assertEquals(time - sent[i]! >= 12, true));
  clock.advance(1_000);
  const before = sent.length;
  limiter.add(device);
  limiter.add(device);
  clock.advance(0);
  limiter.add(device);
  clock.advance(19);
  assertEquals(sent.length, before + 1);
  clock.advance(1);
  assertEquals(sent.length, before + 2);
  limiter.add(device);
  limiter.close();
  clock.advance(1_000);
  assertEquals(sent.length, before + 2);
  assertEquals(start <= sent[0]!, true);
});
