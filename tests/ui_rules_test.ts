import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { UI_LIMITS } from "../cli/ui/server/limits.ts";
import { CommandError } from "../src/errors.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { type Page, type UiRig, withUi } from "./support/ui.ts";
import { until, untilStill } from "./support/wait.ts";
import { request, sendRaw, upgradeHeaders } from "./support/web.ts";

/** The status of a page and of both upgrades with these headers. */
async function statuses(
  { port, headers }: UiRig,
  changed: Record<string, string | string[]>,
): Promise<number[]> {
  const page = await sendRaw(port, request(port, "/", changed));
  const upgrades = [["/rcsp", "rcsp.v1"], ["/rgmp", "rgmp.v2"]].map(([path = "", protocol]) =>
    upgradeStatus(port, request(port, path, { ...headers(protocol), ...changed }))
  );
  return [page.status, ...await Promise.all(upgrades)];
}

/** The status of an upgrade; one that succeeds is closed. */
async function upgradeStatus(port: number, text: string): Promise<number> {
  const socket = connect(port, "127.0.0.1", () => socket.write(text));
  socket.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  socket.on("data", (chunk) => {
    received += String(chunk);
    if (received.includes("\r\n\r\n")) resolve(received);
  });
  socket.on("close", () => resolve(received));
  const [, status] = (await promise).split(" ");
  const closed = new Promise((done) => socket.once("close", done));
  socket.destroy();
  await closed;
  return Number(status);
}

const MOTION = { motion: {} };

test("rule 1: binds 127.0.0.1 only", async () => {
  await withUi(MOTION, async ({ port }) => {
    assertEquals((await sendRaw(port, request(port, "/"))).status, 200);
    // Another address of the same interface; not every system has it.
    const socket = connect(port, "127.0.0.2");
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    assertEquals(await promise, false);
    socket.destroy();
  });
});

test("rule 2: Host must be a loopback name with the port, for pages and upgrades alike", async () => {
  await withUi(MOTION, async (rig) => {
    const { port, log } = rig;
    const other = port === 65_535 ? port - 1 : port + 1;
    for (const name of ["127.0.0.1", "localhost", "[::1]"]) {
      assertEquals(await statuses(rig, { Host: `${name}:${port}` }), [200, 101, 101], name);
    }
    const refused = [
      "evil.example",
      `evil.example:${port}`,
      `127.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `127.0.0.1:${port}.evil.example`,
      `localhost.:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1.:${port}`,
      `2130706433:${port}`,
      `0x7f000001:${port}`,
      `127.1:${port}`,
      `0.0.0.0:${port}`,
      `127.0.0.2:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `::1:${port}`,
      `LOCALHOST:${port}`,
      `127.0.0.1:${other}`,
      `127.0.0.1:0${port}`,
      `127.0.0.1:${port}0`,
      `user@127.0.0.1:${port}`,
      `http://127.0.0.1:${port}`,
      "127.0.0.1",
      "localhost",
      "null",
      "",
    ];
    for (const host of refused) {
      assertEquals([host, ...await statuses(rig, { Host: host })], [host, 403, 403, 403]);
    }
    const twice = [`127.0.0.1:${port}`, "evil.example"];
    assertEquals(await statuses(rig, { Host: twice }), [400, 400, 400]);
    assertEquals(await statuses(rig, { Host: twice.toReversed() }), [400, 400, 400]);
    assertEquals(await statuses(rig, { Host: [] }), [400, 400, 400]);
    assertMatch(log[0]!, /^Refused GET '\/' of 127\.0\.0\.1:\d+: 'Host' 'evil\.example' is not/);
    // A header that a proxy would read has no effect.
    const forwarded = { Host: "evil.example", "X-Forwarded-Host": `127.0.0.1:${port}` };
    assertEquals(await statuses(rig, forwarded), [403, 403, 403]);
  });
});

test("rule 2: --allow-host adds names, with and without the port", async () => {
  const allowHosts = ["gloves.example", "fixed.example:8080"];
  await withUi({ ...MOTION, allowHosts }, async (rig) => {
    const { port } = rig;
    for (const host of ["gloves.example", `gloves.example:${port}`, "fixed.example:8080"]) {
      assertEquals([host, ...await statuses(rig, { Host: host })], [host, 200, 101, 101]);
    }
    for (const host of ["a.gloves.example", "gloves.example:1", `fixed.example:${port}`]) {
      assertEquals([host, ...await statuses(rig, { Host: host })], [host, 403, 403, 403]);
    }
    const origin = `http://gloves.example:${port}`;
    assertEquals(await statuses(rig, { Origin: origin }), [200, 101, 101]);
  });
});

test("rule 3: Origin, where sent, must be one of its own; null is refused", async () => {
  const allowOrigins = ["https://gloves.example"];
  await withUi({ ...MOTION, allowOrigins }, async (rig) => {
    const { port } = rig;
    const allowed = [
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `http://[::1]:${port}`,
      "https://gloves.example",
    ];
    for (const origin of allowed) {
      assertEquals([origin, ...await statuses(rig, { Origin: origin })], [origin, 200, 101, 101]);
    }
    const refused = [
      "null",
      "",
      "https://evil.example",
      "http://gloves.example",
      "https://gloves.example.",
      "https://gloves.example:443",
      "https://gloves.example, null",
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}/`,
      "http://127.0.0.1",
      `http://127.0.0.1:${port}@evil.example`,
      "file://",
    ];
    for (const origin of refused) {
      assertEquals([origin, ...await statuses(rig, { Origin: origin })], [origin, 403, 403, 403]);
    }
    // A rebound page sends the same name in both.
    const rebound = { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` };
    assertEquals(await statuses(rig, rebound), [403, 403, 403]);
    const both = { Origin: [`http://127.0.0.1:${port}`, "https://evil.example"] };
    assertEquals(await statuses(rig, both), [403, 403, 403]);
  });
});

test("rule 4: without the token no upgrade is answered with 101", async () => {
  await withUi(MOTION, async ({ port, server: { token }, log }) => {
    assertEquals(Buffer.from(token, "base64url").length, 32);
    assertEquals(Buffer.from(token, "base64url").toString("base64url"), token);
    const flipped = `${token.startsWith("A") ? "B" : "A"}${token.slice(1)}`;
    const cases: [status: number, protocols: string[]][] = [
      [101, [`token.${token}`, "rcsp.v1"]],
      [401, []],
      [401, ["rcsp.v1"]],
      [401, ["rcsp.v1", "token."]],
      [401, ["rcsp.v1", "token.null"]],
      [401, ["rcsp.v1", `token.${flipped}`]],
      [401, ["rcsp.v1", `token.${token.slice(0, -1)}`]],
      [401, ["rcsp.v1", `token.${token}=`]],
      [401, ["rcsp.v1", `Token.${token}`]],
      [401, ["rcsp.v1", token]],
      [401, ["rcsp.v1", `token.${flipped}`, `token.${token}`]],
      [401, ["rcsp.v1", `token.${"x".repeat(4_000)}`]],
      [400, [`token.${token}`]],
      [400, [`token.${token}`, "rgmp.v2"]],
    ];
    for (const [status, protocols] of cases) {
      const text = request(port, "/rcsp", upgradeHeaders(...protocols));
      assertEquals([protocols, await upgradeStatus(port, text)], [protocols, status]);
    }
    // It has no other way in.
    for (const path of [`/rcsp?token=${token}`, `/rcsp#${token}`, `/rcsp/${token}`]) {
      const text = request(port, path, { ...upgradeHeaders("rcsp.v1"), Cookie: `token=${token}` });
      assert([400, 401, 404].includes(await upgradeStatus(port, text)), path);
    }
    const { headers, body } = await sendRaw(port, request(port, "/"));
    const upgrade = request(port, "/rcsp", upgradeHeaders("rcsp.v1", `token.${flipped}`));
    const refused = await sendRaw(port, upgrade);
    for (const text of [body, refused.body, ...headers.values(), ...refused.headers.values()]) {
      assertEquals(text.includes(token), false);
    }
    assertEquals(log.filter((line) => line.includes("rcsp.v1")).length, 2);
  });
  const tokens = new Set<string>();
  for (let i = 0; i < 3; i++) {
    await withUi({}, ({ server }) => Promise.resolve(void tokens.add(server.token)));
  }
  assertEquals(tokens.size, 3);
});

/** The code of the error that a call is answered with. */
async function refusal(page: Page, command: string, args?: object): Promise<unknown> {
  const error = await assertRejects(
    () => page.client.call(command, args as never),
    CommandError,
  ) as CommandError;
  return error.errorCode;
}

const RED = { DeviceId: 1, LedId: "RingLed", Red: 255, Green: 0, Blue: 0 };

test("rule 5: a page can only read by default", async () => {
  await withUi({}, async ({ open, driver, log }) => {
    const page = await open();
    assertEquals(page.status.allow, []);
    assertEquals((await page.client.listDevices()).length, 4);
    assertEquals((await page.client.getDeviceInfo(1))["DeviceId"], 1);
    const presses = page.client.buttonPresses(1);
    await presses.ready;
    driver!.press(1, "LongPress");
    assertEquals((await presses.next()).value?.type, "LongPress");
    await presses[Symbol.asyncDispose]();
    let reached = 0;
    for (const name of ["SetColorLed", "Anything", "listdevices", "__proto__", "constructor"]) {
      driver!.server.handle(name, () => void reached++);
      assertEquals([name, await refusal(page, name, RED)], [name, "NotAllowed"]);
    }
    assertEquals(reached, 0);
    assertStringIncludes(log.join("\n"), "Refused 'SetColorLed': allow it with --allow");
  });
});

test("rule 5: --allow opens single commands, and no page can name another driver", async () => {
  await withUi({ allow: ["SetColorLed"] }, async ({ open, driver }) => {
    const page = await open();
    assertEquals(page.status.allow, ["SetColorLed"]);
    await page.client.setColorLed(1, "#ff0000");
    const { Leds } = await page.client.getDeviceInfo(1) as { Leds: { Red: number }[] };
    assertEquals(Leds[0]!.Red, 255);
    driver!.server.handle("UploadFirmware", () => ({}));
    assertEquals(await refusal(page, "UploadFirmware"), "NotAllowed");
    // The server that a page may ask a simulator of was not started with one.
    page.socket.send(JSON.stringify({ simulate: true, driver: "evil.example:1", host: "evil" }));
    await page.client.closed;
    const other = await open();
    assertEquals([other.status.driver, other.status.simulating], ["localhost:45451", false]);
  });
});

test("rule 6: the ninth page is refused with 503, and has room when one has left", async () => {
  await withUi(MOTION, async ({ open, port, headers }) => {
    const pages: Page[] = [];
    for (let i = 0; i < UI_LIMITS.pages; i++) pages.push(await open());
    const ninth = request(port, "/rcsp", headers());
    assertEquals(await upgradeStatus(port, ninth), 503);
    // The hands have places of their own.
    assertEquals(await upgradeStatus(port, request(port, "/rgmp", headers("rgmp.v2"))), 101);
    await pages[0]!.client.close();
    let status = 503;
    while (status === 503) status = await upgradeStatus(port, ninth);
    assertEquals(status, 101);
    assertEquals((await pages[1]!.client.listDevices()).length, 4);
  });
});

test("rule 6: a message of 64 KiB is read, a longer one closes its page with 1009", async () => {
  await withUi({}, async ({ open }) => {
    const [page, other] = [await open(), await open()];
    const closed = new Promise<number>((resolve) => page.socket.once("close", resolve));
    // Part of a command that is never completed.
    const bytes = new Uint8Array(UI_LIMITS.message);
    bytes.set([0xdc, 1, 8, 1, 0, 0, 4, 0]);
    page.socket.send(bytes);
    assertEquals((await other.client.listDevices()).length, 4);
    assertEquals(page.socket.readyState, WebSocket.OPEN);
    page.socket.send(new Uint8Array(UI_LIMITS.message + 1));
    assertEquals(await closed, 1009);
    assertEquals((await other.client.listDevices()).length, 4);
  });
});

test("rule 6: a page that never reads is closed at 1 MiB unsent, others get every event", async () => {
  await withUi({}, async ({ open, driver, log }) => {
    const [mute, other] = [await open(), await open()];
    const { button } = driver!.server.dialect;
    const received: unknown[] = [];
    const subscriptions = [mute, other].map(({ client }) =>
      client.subscribe({ ...button, deviceId: 1 })
    );
    await Promise.all(subscriptions.map(({ ready }) => ready));
    other.client.on("event", ({ raw }) => void received.push(raw["Data"]));
    mute.socket.pause();
    const text = "x".repeat(60_000);
    let sent = 0;
    const isClosed = (): boolean => log.some((line) => line.includes("bytes are unread"));
    while (!isClosed()) {
      driver!.server.publish({ ...button, deviceId: 1, data: { number: sent++, text } });
      const count = sent;
      await until(() => received.length === count || isClosed());
    }
    await until(() => received.length === sent);
    assertEquals(
      received.map((data) => (data as { number: number }).number),
      Array.from({ length: sent }, (_, i) => i),
    );
    mute.socket.terminate();
    assertEquals((await other.client.listDevices()).length, 4);
  });
});

test("rule 6: a page that does not read its responses is not read either, and ends with a ping", async () => {
  const clock = new FakeClock();
  await withUi({ clock }, async ({ open, driver, log }) => {
    const [mute, other] = [await open(), await open()];
    let calls = 0;
    driver!.server.handle("GetDeviceInfo", () => {
      calls++;
      return { text: "x".repeat(100_000) };
    });
    mute.socket.pause();
    for (let i = 0; i < 1_000; i++) mute.client.getDeviceInfo(1).catch(() => {});
    // The buffers of the system may hold some, the bridge no more than 1 MiB and what is pending.
    const most = await untilStill(() => calls);
    assert(most < 500, `${most}`);
    assertEquals((await other.client.listDevices()).length, 4);
    clock.advance(UI_LIMITS.pingInterval);
    // The other page answers.
    await new Promise((resolve) => other.socket.once("ping", resolve));
    await other.client.listDevices();
    clock.advance(UI_LIMITS.pingInterval);
    assertEquals(log, ["Closed /rcsp: no answer to a ping within 20000 ms"]);
    assertEquals((await other.client.listDevices()).length, 4);
    mute.socket.terminate();
  });
});

test("rule 7: every response has the security headers, and none that shares", async () => {
  await withUi(MOTION, async ({ port }) => {
    const responses = [
      request(port, "/"),
      request(port, "/page.js"),
      request(port, "/", {}, "HEAD"),
      request(port, "/none"),
      request(port, "/", {}, "POST"),
      request(port, "/", { Host: "evil.example" }),
      request(port, "/", { X: "x".repeat(9_000) }),
      request(port, "/rcsp", upgradeHeaders("rcsp.v1")),
      "\xdc\r\n\r\n",
    ];
    for (const text of responses) {
      const { status, headers } = await sendRaw(port, text);
      assert(status >= 200);
      assertEquals(
        headers.get("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("referrer-policy"), "no-referrer");
      assertEquals(headers.get("cross-origin-opener-policy"), "same-origin");
      assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
      for (const name of headers.keys()) assert(!/^(?:access-control|set-cookie)/.test(name), name);
    }
    const paths = [
      "/..",
      "/page.js/",
      "/cli",
      "/%2e%2e/deno.json",
      "/page.js%00",
      "/\\..\\deno.json",
    ];
    for (const path of paths) {
      assertEquals([path, (await sendRaw(port, request(port, path))).status], [path, 404]);
    }
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) {
      const { status, headers } = await sendRaw(port, request(port, "/", {}, method));
      assertEquals([method, status, headers.get("allow")], [method, 405, "GET, HEAD"]);
    }
  });
});

test("rule 8: what a driver reports reaches a page as data only: in no file, header or status", async () => {
  const Name = "<img src=x onerror=alert(1)>\u202e\x1b[2J";
  await withUi({ isDriverAway: true }, async ({ port, open, startDriver, log }) => {
    await startDriver({ devices: [{ DeviceId: 1, Name }] });
    const page = await open();
    await until(() => page.status.state === "ready");
    assertEquals((await page.client.listDevices())[0]?.Name, Name);
    for (const path of ["/", "/page.js"]) {
      const { body, headers } = await sendRaw(port, request(port, path));
      for (const text of [body, ...headers.values()]) assertEquals(text.includes("onerror"), false);
    }
    for (const text of [...log, JSON.stringify(page.statuses)]) {
      assertEquals(text.includes("onerror"), false);
    }
  });
});

test("rule 9: only its own page gets through: a hosted one has no way in, nor a preflight", async () => {
  await withUi(MOTION, async (rig) => {
    const { port } = rig;
    assertEquals(await statuses(rig, { Origin: "https://rcsp.example" }), [403, 403, 403]);
    const preflight = request(port, "/", {
      "Origin": `http://127.0.0.1:${port}`,
      "Access-Control-Request-Method": "GET",
      "Access-Control-Request-Private-Network": "true",
      "Access-Control-Request-Local-Network": "true",
    }, "OPTIONS");
    const { status, headers } = await sendRaw(port, preflight);
    assertEquals(status, 405);
    assertEquals([...headers.keys()].filter((name) => name.startsWith("access-control")), []);
  });
});
