import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type ColorLed, type DeviceId, type JsonObject, ProtocolError } from "../mod.ts";
import { echo, frame, ok, type Script, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

/** Responds to every command with this JSON as `Response`. */
function answering(response: string): Script {
  return ({ trackId }) => frame(2, `{"TrackId":"${trackId}","Response":${response}}`);
}

for (const response of ["null", "{}", '{"Devices":null}', '{"Devices":[]}', '{"devices":[1]}']) {
  test(`listDevices() returns no devices for the response ${response}`, () =>
    withScripted(answering(response), async (rcsp) => {
      assertEquals(await rcsp.listDevices(), []);
    }));
}

const WRONG = [
  { devices: "{}", message: "'Response.Devices': expected an array, received an object" },
  { devices: '"x"', message: "'Response.Devices': expected an array, received the string 'x'" },
  { devices: "false", message: "expected an array, received the boolean false" },
  { devices: "[1]", message: "'Response.Devices[0]': expected an object, received the number 1" },
  { devices: '[{"DeviceId":1},null]', message: "'Response.Devices[1]': expected an object" },
  { devices: "[[]]", message: "'Response.Devices[0]': expected an object, received an array" },
  { devices: "[{}]", message: "'Response.Devices[0].DeviceId': expected a device id" },
  { devices: '[{"DeviceId":null}]', message: "expected a device id, received null" },
  { devices: '[{"deviceId":1}]', message: "expected a device id, received nothing" },
];

for (const { devices, message } of WRONG) {
  test(`listDevices() rejects ${devices}, and the connection stays open`, () =>
    withScripted(answering(`{"Devices":${devices}}`), async (rcsp) => {
      const error = await assertRejects(() => rcsp.listDevices(), ProtocolError, message);
      assertStrictEquals(error.code, "bad-shape");
      await rcsp.call("A");
    }));
}

test("listDevices() returns every field of every device unchanged", () => {
  const devices = [{ DeviceId: 0, Name: "left", Nested: { a: [null] } }, { DeviceId: "" }];
  return withScripted(answering(JSON.stringify({ Devices: devices })), async (rcsp) => {
    assertEquals<unknown>(await rcsp.listDevices(), devices);
  });
});

// A driver may list anything: it goes back as it came.
const IDS = [
  0,
  1,
  "1",
  -1,
  0.1,
  true,
  "",
  "ä\u0000",
  { Bus: 1, Address: [2, null] },
  [1, "2"],
  Number.MAX_SAFE_INTEGER,
] as DeviceId[];

for (const id of IDS) {
  test(`a device id ${JSON.stringify(id)} is sent back unchanged`, () =>
    withScripted(
      (command) => ok(command, { Devices: [{ DeviceId: id }] }),
      async (rcsp, server) => {
        const [device] = await rcsp.listDevices();
        await rcsp.getDeviceInfo(device!.DeviceId);
        await rcsp.setColorLed(device!.DeviceId, { LedId: "L", Red: 0, Green: 0, Blue: 0 });
        const sent = server.received.slice(1).map(({ args }) => args?.["DeviceId"]);
        assertEquals<unknown>(sent, [id, id]);
      },
    ));
}

const REFUSED_IDS: { id: unknown; errorClass: typeof TypeError | typeof RangeError }[] = [
  { id: 2 ** 53, errorClass: RangeError },
  { id: -(2 ** 53), errorClass: RangeError },
  { id: 1e300, errorClass: RangeError },
  { id: Infinity, errorClass: RangeError },
  // JSON.stringify() would return null.
  { id: NaN, errorClass: RangeError },
  { id: null, errorClass: TypeError },
  { id: undefined, errorClass: TypeError },
];

for (const { id, errorClass } of REFUSED_IDS) {
  test(`a device id ${id} throws, and nothing is sent`, () =>
    withScripted(echo, async (rcsp, server) => {
      const deviceId = id as DeviceId;
      const led = { LedId: "L", Red: 0, Green: 0, Blue: 0 };
      await assertRejects(() => rcsp.getDeviceInfo(deviceId), errorClass, "Cannot address device");
      await assertRejects(() => rcsp.setColorLed(deviceId, led), errorClass);
      assertThrows(() => rcsp.buttonPresses(deviceId), errorClass);
      if (id !== undefined) {
        const topic = { publisher: "P", topic: "T", deviceId };
        assertThrows(() => rcsp.subscribe(topic), errorClass);
      }
      await rcsp.call("Last");
      assertEquals(server.names, ["Last"]);
    }));
}

test("a listed device id of 2^53 + 1 is rejected when used, because it is not exact", () =>
  withScripted(answering('{"Devices":[{"DeviceId":9007199254740993}]}'), async (rcsp, server) => {
    const [device] = await rcsp.listDevices();
    await assertRejects(
      () => rcsp.getDeviceInfo(device!.DeviceId),
      RangeError,
      "Cannot address device as its number 9007199254740992 is too large to be exact",
    );
    assertEquals(server.names, ["ListDevices"]);
  }));

const LED = { LedId: "RingLed", Red: 1, Green: 2, Blue: 3 };
const WRONG_LEDS: { led: object; message: string }[] = [
  ...["Red", "Green", "Blue"].flatMap((key) =>
    [-1, 256, 1.5, NaN, Infinity, "1", null, undefined].map((value) => ({
      led: { ...LED, [key]: value },
      message:
        `Cannot set LED as '${key}' must be an integer from 0 to 255: current value is ${value}`,
    }))
  ),
  ...["", null, 5].map((LedId) => ({
    led: { ...LED, LedId },
    message: "Cannot set LED as 'LedId' must be a name",
  })),
];

test("setColorLed() rejects an invalid LED, names what is wrong, and sends nothing", () =>
  withScripted(echo, async (rcsp, server) => {
    for (const { led, message } of WRONG_LEDS) {
      const error = await assertRejects(() => rcsp.setColorLed(1, led as ColorLed), Error, message);
      assertStrictEquals(error.constructor, message.includes("LedId") ? TypeError : RangeError);
    }
    await rcsp.call("Last");
    assertEquals(server.names, ["Last"]);
  }));

test("setColorLed() sends exactly the five arguments", () =>
  withScripted(echo, async (rcsp, server) => {
    const led = { Blue: 255, Extra: 1, Green: 0, Red: 128, LedId: "RingLed" };
    await rcsp.setColorLed(1, led);
    assertStrictEquals(
      JSON.stringify(server.received[0]?.args),
      '{"DeviceId":1,"LedId":"RingLed","Red":128,"Green":0,"Blue":255}',
    );
  }));

test("the device methods pass their options on", () =>
  withScripted(echo, async (rcsp, server) => {
    const options = { signal: AbortSignal.abort(new Error("enough")) };
    const calls: (() => Promise<unknown>)[] = [
      () => rcsp.listDevices(options),
      () => rcsp.getDeviceInfo(1, options),
      () => rcsp.setColorLed(1, LED, options),
    ];
    for (const call of calls) await assertRejects(call, Error, "enough");
    await rcsp.getDeviceInfo(1, { version: 3 });
    const sent: JsonObject[] = server.received.map(({ text }) => JSON.parse(text));
    assertEquals(sent.map(({ Command, Version }) => [Command, Version]), [["GetDeviceInfo", 3]]);
  }));
