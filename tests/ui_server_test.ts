import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { WebSocket } from "ws";
import { UiServer } from "../cli/ui/server/ui_server.ts";
import { createMotionClient } from "../src/motion/motion_client.ts";
import { CommandError, LimitError, RcspError } from "../src/errors.ts";
import { type WebSocketClass, webSocketConnector } from "../adapters/websocket.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { FILES, type UiRig, withUi } from "./support/ui.ts";
import { repeatUntil, until } from "./support/wait.ts";
import { openRaw, request } from "./support/web.ts";

const RED = { LedId: "RingLed", Red: 255, Green: 0, Blue: 0 };

/** A client of `/rgmp`. */
function openHands({ port, server }: UiRig): ReturnType<typeof createMotionClient> {
  const connector = webSocketConnector(`ws://127.0.0.1:${port}/rgmp`, {
    protocols: ["rgmp.v2", `token.${server.token}`],
    WebSocket: WebSocket as unknown as WebSocketClass,
  });
  return createMotionClient(connector, { reconnect: false });
}

test("two pages at once share one connection, and each gets its own responses and events", async () => {
  await withUi({ allow: ["SetColorLed"] }, async ({ open, driver }) => {
    const [one, two] = [await open(), await open()];
    const presses = [one.client.buttonPresses(1), two.client.buttonPresses(1)];
    await Promise.all(presses.map(({ ready }) => ready));
    assertEquals(driver!.server.clients, 1);
    // One subscription at the driver.
    assertEquals(driver!.press(1, "DoublePress"), 1);
    for (const each of presses) assertEquals((await each.next()).value?.type, "DoublePress");
    const calls = Array.from({ length: 50 }, (_, i) => {
      const { client } = i % 2 === 0 ? one : two;
      return client.getDeviceInfo(1 + i % 4).then(({ DeviceId }) => DeviceId);
    });
    assertEquals(await Promise.all(calls), Array.from({ length: 50 }, (_, i) => 1 + i % 4));
    await one.client.close();
    assertEquals(driver!.press(1, "LongPress"), 1);
    assertEquals((await presses[1]!.next()).value?.type, "LongPress");
    await two.client.setColorLed(2, RED);
  });
});

test("a driver's refusal reaches the page with its code and message", async () => {
  await withUi({}, async ({ open, driver }) => {
    const page = await open();
    const Message = "<b>\u202e\x1b[2J</b>";
    driver!.server.handle("GetDeviceInfo", () => {
      throw new CommandError({ Code: "Strange", Message });
    });
    const error = await assertRejects(() => page.client.getDeviceInfo(1), CommandError);
    assertEquals([error.errorCode, error.errorMessage], ["Strange", Message]);
  });
});

test("without a driver the page opens and explains why; commands are answered at once", async () => {
  await withUi({ isDriverAway: true }, async ({ open, startDriver }) => {
    const page = await open();
    await until(() => page.statuses.some(({ state }) => state === "reconnecting"));
    const { driver, state, error, roundTrip, reconnects, gap, simulate, motion } = page.status;
    assertEquals([driver, state, roundTrip, reconnects, gap, simulate, motion], [
      "localhost:45451",
      "reconnecting",
      null,
      0,
      null,
      false,
      "off",
    ]);
    assertMatch(error!, /^Cannot connect to localhost:45451: connection refused/);
    const refused = await assertRejects(() => page.client.listDevices(), CommandError);
    assertEquals(refused.errorCode, "Unavailable");
    await startDriver();
    await until(() => page.status.state === "ready");
    assertEquals([page.status.error, page.status.reconnects], [null, 0]);
    assertEquals((await page.client.listDevices()).length, 4);
    await until(() => page.status.roundTrip !== null);
  });
});

test("a driver that restarts is an error of commands only: subscriptions continue, the gap is reported", async () => {
  await withUi({}, async ({ open, driver, startDriver, stopDriver }) => {
    const page = await open();
    const presses = page.client.buttonPresses(1);
    await presses.ready;
    driver!.press(1, "SinglePress");
    assertEquals((await presses.next()).value?.type, "SinglePress");
    await stopDriver();
    await until(() => page.statuses.some(({ state }) => state === "reconnecting"));
    const again = await startDriver();
    await until(() => page.status.state === "ready" && page.status.reconnects === 1);
    assert(page.status.gap! >= 0);
    const next = presses.next();
    // The subscription is made again after the connection.
    await repeatUntil(next, () => void again.press(1, "LongPress"));
    assertEquals((await next).value?.type, "LongPress");
    assertEquals(page.socket.readyState, WebSocket.OPEN);
  });
});

test("a page that floods commands is held to its limits, and others are answered", async () => {
  await withUi({}, async ({ open, driver }) => {
    const [flood, other] = [await open(), await open()];
    const gate = Promise.withResolvers<void>();
    let [running, most] = [0, 0];
    driver!.server.handle("GetDeviceInfo", async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      return {};
    });
    const calls = Array.from({ length: 1_024 }, () => flood.client.getDeviceInfo(1));
    const beyond = await flood.client.getDeviceInfo(1).catch((error) => error);
    assert(beyond instanceof LimitError);
    // The driver's connection is shared: its queue must not be filled by one page.
    await until(() => running === 64);
    const listing = other.client.listDevices();
    gate.resolve();
    assertEquals((await listing).length, 4);
    await Promise.all(calls);
    assertEquals(most, 64);
  });
});

test("a page that sends without end is closed with 1009, others continue", async () => {
  await withUi({}, async ({ open, driver, log }) => {
    const [flood, other] = [await open(), await open()];
    const gate = Promise.withResolvers<void>();
    driver!.server.handle("ListDevices", async () => {
      await gate.promise;
      return { Devices: [] };
    });
    const body = new TextEncoder().encode(
      JSON.stringify({ Command: "ListDevices", TrackId: "1", Version: 1, x: "x".repeat(60_000) }),
    );
    const frame = new Uint8Array(8 + body.length);
    frame.set([0xdc, 1, 8, 1]);
    new DataView(frame.buffer).setUint32(4, body.length, true);
    frame.set(body, 8);
    const closed = new Promise<number>((resolve) => flood.socket.once("close", resolve));
    for (let i = 0; i < 120; i++) flood.socket.send(frame);
    assertEquals(await closed, 1009);
    gate.resolve();
    assertEquals(await other.client.listDevices(), []);
    assertStringIncludes(log.join("\n"), "(1048576) bytes are unread");
  });
});

test("200 pages that come and go leave nothing behind", async () => {
  await withUi({ motion: {} }, async (rig) => {
    const { open, driver } = rig;
    for (let i = 0; i < 100; i++) {
      const [page, broken] = await Promise.all([open(), open()]);
      const presses = page.client.buttonPresses(1);
      await presses.ready;
      assertEquals(driver!.press(1, "SinglePress"), 1);
      broken.socket.terminate();
      if (i % 2 === 0) page.socket.terminate();
      else await page.client.close();
      await Promise.all([page.client.closed, broken.client.closed]);
      // The bridge unsubscribes for a page that has left.
      await until(() => driver!.press(1, "SinglePress") === 0);
    }
    const pages = await Promise.all(Array.from({ length: 6 }, () => open()));
    for (const { client } of pages) assertEquals((await client.listDevices()).length, 4);
    assertEquals(driver!.server.clients, 1);
  });
});

test("a driver that breaks the protocol loses its own connection, pages stay", async () => {
  await withUi({}, async ({ open, driver, startDriver, stopDriver }) => {
    const page = await open();
    await page.client.listDevices();
    driver!.faults = { garbageAfter: 0 };
    const error = await assertRejects(() => page.client.listDevices(), CommandError);
    assertEquals(error.errorCode, "Unavailable");
    await until(() => page.status.state === "reconnecting");
    assertMatch(page.status.error!, /^[^\p{C}\u2028\u2029]+$/u);
    await stopDriver();
    await startDriver();
    await until(() => page.status.state === "ready");
    assertEquals((await page.client.listDevices()).length, 4);
  });
});

test("bytes that are not RCSP end their page only, in one line of the log", async () => {
  const streams: Record<string, Uint8Array> = {
    "a wrong marker": Uint8Array.of(0x47, 0x45, 0x54, 0x20, 0x2f, 0x20, 0x48, 0x54),
    "a wrong version": Uint8Array.of(0xdc, 2, 8, 1, 2, 0, 0, 0, 0x7b, 0x7d),
    "a response": Uint8Array.of(0xdc, 1, 8, 2, 2, 0, 0, 0, 0x7b, 0x7d),
    "a huge claim": Uint8Array.of(0xdc, 1, 8, 1, 0xff, 0xff, 0xff, 0xff),
  };
  await withUi({}, async ({ open, log }) => {
    const other = await open();
    for (const [name, bytes] of Object.entries(streams)) {
      const page = await open();
      page.socket.send(bytes);
      await page.client.closed;
      await until(() => log.length > 0);
      assertEquals([name, log.length], [name, 1], log.join("\n"));
      assertMatch(log.pop()!, /^[^\p{C}\u2028\u2029]+$/u);
    }
    assertEquals((await other.client.listDevices()).length, 4);
  });
});

test("command bodies that are not a command are answered with an error, and the page continues", async () => {
  const bodies = [
    "",
    "null",
    "[]",
    "{",
    "{}{}",
    '{"Command":1}',
    '{"Command":""}',
    '{"Command":"ListDevices","TrackId":{},"Arguments":[]}',
    `{"Command":"${"x".repeat(60_000)}","TrackId":"9"}`,
    `${"[".repeat(10_000)}${"]".repeat(10_000)}`,
    '{"__proto__":{"Command":"ListDevices"}}',
  ];
  await withUi({}, async ({ open }) => {
    for (const body of bodies) {
      const page = await open();
      const answered = new Promise<number>((resolve) => {
        page.socket.on("message", (data, isBinary) => {
          if (isBinary) resolve(new Uint8Array(data as ArrayBuffer)[3]!);
        });
      });
      const bytes = new TextEncoder().encode(body);
      const frame = new Uint8Array(8 + bytes.length);
      frame.set([0xdc, 1, 8, 1]);
      new DataView(frame.buffer).setUint32(4, bytes.length, true);
      frame.set(bytes, 8);
      page.socket.send(frame);
      assertEquals([body.slice(0, 20), await answered], [body.slice(0, 20), 3]);
      // Its client did not send that command: the response ends the connection.
      await page.client.close();
    }
    assertEquals((await (await open()).client.listDevices()).length, 4);
  });
});

test("text that is not a request closes its page with 1008", async () => {
  const texts = ["", "{", "[]", "null", '{"simulate":1}', '{"simulate":false}', "x".repeat(60_000)];
  await withUi({ simulate: "on-request" }, async ({ open, log }) => {
    const other = await open();
    for (const text of texts) {
      const page = await open();
      const closed = new Promise<number>((resolve) => page.socket.once("close", resolve));
      page.socket.send(text);
      assertEquals([text.slice(0, 20), await closed], [text.slice(0, 20), 1008]);
    }
    assertEquals(log.length, texts.length, log.join("\n"));
    assertMatch(log[0]!, /^Closed \/rcsp of 127\.0\.0\.1:\d+: unknown text$/);
    assertEquals([other.status.simulating, other.socket.readyState], [false, WebSocket.OPEN]);
  });
});

test("{ simulate: true } closes a page of a bridge without --simulate", async () => {
  await withUi({ isDriverAway: true }, async ({ open, log }) => {
    const page = await open();
    const closed = new Promise<number>((resolve) => page.socket.once("close", resolve));
    page.socket.send('{"simulate":true}');
    assertEquals(await closed, 1008);
    assertStringIncludes(log.join("\n"), "the bridge was started without --simulate");
  });
});

test("{ simulate: true } starts one simulator where the driver is away, with hands", async () => {
  const options = { isDriverAway: true, simulate: "on-request", motion: {} } as const;
  await withUi(options, async (rig) => {
    const [page, other] = [await rig.open(), await rig.open()];
    assertEquals([page.status.simulate, page.status.simulating], [true, false]);
    for (const { socket } of [page, other, page]) socket.send('{"simulate":true}');
    for (const each of [page, other]) {
      await until(() => each.status.state === "ready" && each.status.motion === "ready");
      assertEquals([each.status.driver, each.status.simulating], ["simulator", true]);
      assertEquals((await each.client.listDevices()).length, 4);
    }
    const hands = await openHands(rig);
    await until(() => hands.hands().length === 2);
    await hands.close();
  });
});

test("{ simulate: true } changes nothing while the driver is connected", async () => {
  await withUi({ simulate: "on-request" }, async ({ open }) => {
    const page = await open();
    await until(() => page.status.state === "ready");
    page.socket.send('{"simulate":true}');
    await page.client.listDevices();
    assertEquals([page.status.driver, page.status.simulating], ["localhost:45451", false]);
  });
});

test("with --simulate the simulator is there at once, and presses by itself", async () => {
  await withUi({ isDriverAway: true, simulate: "at-start", motion: {} }, async ({ open }) => {
    const page = await open();
    await until(() => page.status.state === "ready");
    assertEquals([page.status.simulate, page.status.simulating], [true, true]);
    const presses = page.client.presses();
    await presses.ready;
    assert((await presses.next()).value !== undefined);
  });
});

test("the hands reach each page as they come; devices come and go with the driver", async () => {
  await withUi({ motion: {} }, async (rig) => {
    const page = await rig.open();
    await until(() => page.status.motion === "ready");
    const [one, two] = [await openHands(rig), await openHands(rig)];
    for (const client of [one, two]) {
      await until(() => client.hands().length === 2 && client.stats().samples > 10);
      const frames = client.hands().map(({ side }) => side).sort();
      assertEquals(frames, ["left", "right"]);
    }
    const definition = one.devices()[0]!.definition!.raw;
    assertEquals(
      two.devices().find(({ id }) => id === definition["device_id"])!.definition!.raw,
      definition,
    );
    await rig.stopDriver();
    await until(() => one.devices().length === 0 && page.status.motion === "reconnecting");
    await rig.startDriver();
    await until(() => two.hands().length === 2 && page.status.motion === "ready");
    await Promise.all([one.close(), two.close()]);
  });
});

test("a page that does not read its hands does not hold up others", async () => {
  await withUi({ motion: {} }, async (rig) => {
    const mute = await openRaw(rig.port);
    mute.socket.write(request(rig.port, "/rgmp", rig.headers("rgmp.v2")));
    await until(() => mute.received.includes("\r\n\r\n"));
    mute.socket.pause();
    const other = await openHands(rig);
    await until(() => other.hands().length === 2);
    const before = other.stats().samples;
    await until(() => other.stats().samples > before + 100);
    mute.socket.destroy();
    await other.close();
  });
});

test("a page must not send anything on /rgmp", async () => {
  await withUi({ motion: {} }, async ({ port, server, log }) => {
    for (const message of [Uint8Array.of(1), "1"]) {
      const protocols = ["rgmp.v2", `token.${server.token}`];
      const socket = new WebSocket(`ws://127.0.0.1:${port}/rgmp`, protocols);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.once("open", () => socket.send(message));
      await closed;
    }
    assertEquals(log.length, 2, log.join("\n"));
  });
});

test("/rgmp is not there without hands", async () => {
  await withUi({}, async (rig) => {
    await assertRejects(() => openHands(rig), RcspError);
  });
});

test("the round trip is sent once per second, a change at once, nothing otherwise", async () => {
  const clock = new FakeClock();
  await withUi({ clock }, async ({ open, stopDriver }) => {
    const page = await open();
    await page.client.listDevices();
    await until(() => page.status.state === "ready");
    const count = page.statuses.length;
    for (let i = 0; i < 5; i++) await page.client.listDevices();
    assertEquals(page.statuses.length, count);
    clock.advance(1_000);
    await until(() => page.statuses.length === count + 1);
    assert(page.status.roundTrip! >= 0);
    await stopDriver();
    await until(() => page.status.state === "reconnecting");
  });
});

test("what a new page is told, the pages before it are told too", async () => {
  const clock = new FakeClock();
  await withUi({ clock }, async ({ open }) => {
    const one = await open();
    await until(() => one.status.state === "ready");
    assertEquals(one.status.roundTrip, null);
    await one.client.listDevices();
    const two = await open();
    assert(two.status.roundTrip !== null);
    await until(() => one.status.roundTrip === two.status.roundTrip);
  });
});

test("a port that is taken is passed over, and the last one's error is thrown", async () => {
  await withUi({}, async ({ port }) => {
    const server = new UiServer({
      files: FILES,
      driver: { connector: () => Promise.reject(new Error("no driver")) },
      clock: new FakeClock(),
      log: () => {},
    });
    const error = await assertRejects(() => server.listen("127.0.0.1", [port]), Error);
    assertEquals((error as { code?: unknown }).code, "EADDRINUSE");
    await server.close();
  });
  await withUi({}, async ({ port }) => {
    const server = new UiServer({
      files: FILES,
      driver: { connector: () => Promise.reject(new Error("no driver")) },
      clock: new FakeClock(),
      log: () => {},
    });
    const next = await server.listen("127.0.0.1", [port, 0]);
    assert(next !== port);
    await server.close();
  });
});
