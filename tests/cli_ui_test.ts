import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { UiTestHooks } from "../cli/commands/ui.ts";
import { main } from "../cli/main.ts";
import { browserCommand } from "../cli/process/open_browser.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { assertFails, rcsp, type TestIo, testIo, type TestIoOptions } from "./support/cli_io.ts";
import { runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { FILES, openPage } from "./support/ui.ts";
import { until } from "./support/wait.ts";
import { request, sendRaw, upgradeHeaders } from "./support/web.ts";

const ADDRESS = /^http:\/\/127\.0\.0\.1:(\d+)\/#([\w-]{43})$/;

const HOOKS: UiTestHooks = { page: () => Promise.resolve(FILES) };

interface Running {
  readonly io: TestIo;
  readonly url: string;
  readonly port: number;
  readonly token: string;
}

/** Runs `rcsp ui` while `use` runs, then interrupts it; returns the exit code. */
async function withUiCommand(
  args: readonly string[],
  use: (running: Running) => Promise<void>,
  options: TestIoOptions = {},
): Promise<number> {
  const { connector } = memoryNetwork();
  const io = testIo({ connector, ...HOOKS, ...options });
  const ending = main(["ui", ...args], io);
  await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
  const [url = ""] = io.lines;
  const [, port, token = ""] = /:(\d+)\/#(.*)$/.exec(url) ?? [];
  assert(port !== undefined, io.err);
  try {
    await use({ io, url, port: Number(port), token });
  } finally {
    io.interrupt();
  }
  const code = await ending;
  assertEquals(io.lines, [url]);
  return code;
}

test("ui prints one address, opens it, serves its page to it, and ends with 0", async () => {
  const opened: string[] = [];
  const code = await withUiCommand(["--port", "0", "--simulate"], async ({ url, port, token }) => {
    assertMatch(url, ADDRESS);
    await until(() => opened.length > 0);
    assertEquals(opened, [url]);
    assertEquals((await sendRaw(port, request(port, "/"))).body, "<p>page</p>");
    const page = await openPage(port, token);
    await until(() => page.status.state === "ready");
    assertEquals([page.status.driver, page.status.simulating], ["simulator", true]);
    assertEquals((await page.client.listDevices()).length, 4);
    await page.client.close();
  }, { openBrowser: (url) => void opened.push(url) });
  assertEquals(code, 0);
});

test("ui takes the next port where the default one is taken, and does not open with --no-open", async () => {
  const options = { openBrowser: () => assert(false) };
  await withUiCommand(["--no-open"], async ({ port }) => {
    await withUiCommand(["--no-open"], ({ port: next }) => {
      assertNotEquals(next, port);
      for (const each of [port, next]) assert(each >= 45_480 && each < 45_500, `${each}`);
      return Promise.resolve();
    }, options);
  }, options);
});

test("ui on a port that is named and taken ends with 3", async () => {
  await withUiCommand(["--port", "0"], async ({ port }) => {
    const result = await rcsp(["ui", "--port", `${port}`], { ...memoryNetwork(), ...HOOKS });
    assertFails(result, 3);
    assertStringIncludes(result.err, `Cannot listen on 127.0.0.1:${port}: port already in use`);
  });
});

test("ui reports the risk of another address before it listens there", async () => {
  // An address for documentation, which no machine has.
  const { code, out, err } = await rcsp(["ui", "--host", "192.0.2.1"], {
    ...memoryNetwork(),
    ...HOOKS,
  });
  assertEquals([code, out], [3, ""]);
  assertMatch(err, /^Warning: 192\.0\.2\.1 can be reached from other machines, without encryption/);
  assertStringIncludes(err, "\nrcsp: Cannot listen on 192.0.2.1:");
});

test("ui at ::1 prints that address, without a warning", async () => {
  for (const host of ["::1", "[::1]"]) {
    const io = testIo({ connector: memoryNetwork().connector, ...HOOKS });
    const ending = main(["ui", "--port", "0", "--host", host], io);
    await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
    io.interrupt();
    const code = await ending;
    // Not every machine has IPv6.
    if (code === 3) continue;
    assertMatch(io.out, /^http:\/\/\[::1\]:\d+\/#/);
    assertEquals(io.err, "");
  }
});

test("ui accepts --allow, --allow-host and --allow-origin several times", async () => {
  const { connector, listen } = memoryNetwork();
  await using driver = new Simulator();
  await driver.serve(listen, { port: 45451 });
  const args = ["--allow", "SetColorLed", "--allow", "Other"];
  const hosts = ["--allow-host", "a.example", "--allow-host", "B.example:80"];
  const origins = ["--allow-origin", "https://a.example", "--allow-origin", "http://b.example:1"];
  await withUiCommand(["--port", "0", ...args, ...hosts, ...origins], async ({ port, token }) => {
    const page = await openPage(port, token);
    assertEquals(page.status.allow, ["SetColorLed", "Other"]);
    await until(() => page.status.state === "ready");
    await page.client.setColorLed(1, "red");
    await page.client.close();
    for (const Host of [`a.example:${port}`, "b.example:80"]) {
      for (const Origin of ["https://a.example", "http://b.example:1"]) {
        assertEquals((await sendRaw(port, request(port, "/", { Host, Origin }))).status, 200);
      }
    }
    assertEquals((await sendRaw(port, request(port, "/", { Host: "c.example" }))).status, 403);
  }, { connector });
});

test("ui reports what it refuses on stderr, without the token", async () => {
  await withUiCommand(["--port", "0"], async ({ io, port, token }) => {
    await sendRaw(port, request(port, "/", { Host: "evil.example\x9b2J" }));
    await sendRaw(port, request(port, "/rcsp", upgradeHeaders("rcsp.v1", "token.x")));
    await io.until(({ err }) => err.includes("wrong token (401)\n"));
    assertMatch(io.err, /^Refused GET '\/' of 127\.0\.0\.1:\d+: 'Host' 'evil\.example/);
    assertEquals(io.err.includes(token), false);
  });
});

test("ui waits for a driver, and starts a simulator instead once a page asks for it", async () => {
  const args = ["--port", "0", "--simulate", "--driver-host", "elsewhere", "--no-motion"];
  const { code, err } = await rcsp(["ui", "--driver-port", "0"], { ...memoryNetwork(), ...HOOKS });
  assertEquals(code, 2, err);
  await withUiCommand(args, async ({ port, token }) => {
    const page = await openPage(port, token);
    await until(() => page.status.state === "reconnecting");
    const { driver, simulate, simulating, motion } = page.status;
    assertEquals([driver, simulate, simulating, motion], ["elsewhere:45451", true, false, "off"]);
    page.socket.send('{"simulate":true}');
    await until(() => page.status.state === "ready");
    assertEquals(page.status.driver, "simulator");
    await page.client.close();
  });
});

test("ui finds the driver and the hands by flags and environment, and shows frames with --verbose", async () => {
  const { connector, listen } = memoryNetwork();
  await using driver = new Simulator({ motion: true });
  const { port: driverPort } = await driver.serve(listen);
  const { hands } = await driver.serveMotion(listen);
  const args = ["--port", "0", "--motion-port", `${hands.port}`, "--verbose"];
  await withUiCommand(args, async ({ io, port, token }) => {
    const page = await openPage(port, token);
    await until(() => page.status.state === "ready" && page.status.motion === "ready");
    assertEquals(page.status.driver, `localhost:${driverPort}`);
    await page.client.listDevices();
    await page.client.close();
    await io.until(({ err }) => err.includes('-> command {"Command":"ListDevices"'));
  }, { connector, variables: { RCSP_PORT: `${driverPort}` } });
});

const wrong: [sentence: string, args: string[]][] = [
  ["Invalid '--allow-host' 'http://a.example'", ["--allow-host", "http://a.example"]],
  ["Invalid '--allow-host' 'a.example/x'", ["--allow-host", "a.example/x"]],
  ["Invalid '--allow-host' '*'", ["--allow-host", "*"]],
  ["Invalid '--allow-origin' 'null'", ["--allow-origin", "null"]],
  ["Invalid '--allow-origin' '*'", ["--allow-origin", "*"]],
  ["Invalid '--allow-origin' 'https://a.example/'", ["--allow-origin", "https://a.example/"]],
  ["Invalid '--allow-origin' 'a.example'", ["--allow-origin", "a.example"]],
  ["Invalid '--allow-origin' 'https://A.example'", ["--allow-origin", "https://A.example"]],
  ["Invalid '--port' '65536'", ["--port", "65536"]],
  ["Unexpected argument 'x'", ["x"]],
];

test("ui refuses what it cannot use before it listens", async () => {
  for (const [sentence, args] of wrong) {
    const result = await rcsp(["ui", ...args], { ...memoryNetwork(), ...HOOKS });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("the browser is opened by the system's own program, and not without a display", () => {
  assertEquals(browserCommand("darwin", {}), ["open"]);
  assertEquals(browserCommand("win32", {}), ["cmd", "/c", "start", ""]);
  assertEquals(browserCommand("linux", { DISPLAY: ":0" }), ["xdg-open"]);
  assertEquals(browserCommand("freebsd", { WAYLAND_DISPLAY: "wayland-0" }), ["xdg-open"]);
  assertEquals(browserCommand("linux", { DISPLAY: "" }), undefined);
});

test("the program itself serves the page, and ends at SIGINT and SIGTERM", async () => {
  const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const child = start(runtimeCommand(program, "ui", "--port", "0", "--simulate"));
    const [, port, token] = ADDRESS.exec(await child.nextLine()) ?? [];
    const html = await sendRaw(Number(port), request(Number(port), "/"));
    const files = [...html.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    assertNotEquals(files, []);
    for (const path of files) {
      const { status } = await sendRaw(Number(port), request(Number(port), path));
      assertEquals([path, status], [path, 200]);
    }
    const page = await openPage(Number(port), token!);
    await until(() => page.status.state === "ready");
    assertEquals((await page.client.listDevices()).length, 4);
    process.kill(child.pid, signal);
    const ended = await child.ended;
    assertEquals([ended.code, ended.stderr], [0, ""]);
    await page.client.closed;
  }
});
