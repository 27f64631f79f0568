/** `webSocketConnector()` in a page of one's own, behind the bridge of `rcsp ui`. */

import { assert, assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import type { Page } from "puppeteer-core";
import type { createClient, RcspClient } from "@rcsp/rcsp/core";
import type { Simulator } from "@rcsp/rcsp/simulator";
import { fromWebSocket, type webSocketConnector } from "@rcsp/rcsp/websocket";
import { WebSocketServer } from "ws";
import { type BrowserCase, type CaseContext, until } from "./case.ts";
import { untilSubscribed } from "./page_cases.ts";

/** What the page of the test has; `rcsp` once it is connected. */
interface Globals {
  createClient: typeof createClient;
  webSocketConnector: typeof webSocketConnector;
  rcsp: RcspClient;
  presses: string[];
}

const SCRIPT = `
import { createClient } from "@rcsp/rcsp/core";
import { webSocketConnector } from "@rcsp/rcsp/websocket";
Object.assign(globalThis, { createClient, webSocketConnector, presses: [] });
`;

const HTML = '<!DOCTYPE html><script type="module" src="/page.js"></script>';
const guide = await readFile(new URL("../../docs/websocket.md", import.meta.url), "utf8");
const blockOf = (language: string): string =>
  guide.split(`\n\`\`\`${language}\n`)[1]?.split("\n```")[0] ?? "";

const [script, guideScript] = await bundleScripts(SCRIPT, blockOf("js"));

export const connectorCases: BrowserCase[] = [
  {
    name: "webSocketConnector() in a page of one's own: calls, presses, errors, the end",
    async run(t) {
      const driver = await t.driver();
      const origin = await ownPage(t);
      const bridge = await t.bridge(driver, "--allow-origin", origin);
      const page = await t.blankPage();
      await page.goto(origin);
      await until(page, "the library", "globalThis.createClient !== undefined");
      await connect(page, bridge.port, bridge.token);
      const names = await page.evaluate(async () => {
        const { rcsp } = globalThis as unknown as Globals;
        return (await rcsp.listDevices()).map(({ Name }) => Name);
      });
      assertEquals(names[0], "Smartglove Left");
      await page.evaluate(async () => {
        const { rcsp, presses } = globalThis as unknown as Globals;
        await rcsp.on("press", ({ type }) => presses.push(type)).ready;
      });
      driver.simulator.press(2, "DoublePress");
      await until(page, "the press", `String(presses) === "DoublePress"`);
      // More than the bridge takes at once: it stops reading, and loses none.
      const answers = await page.evaluate(async () => {
        const { rcsp } = globalThis as unknown as Globals;
        const calls = Array.from({ length: 1_000 }, (_, i) => rcsp.getDeviceInfo(i % 4 + 1));
        return (await Promise.all(calls)).map(({ DeviceId }) => DeviceId as number);
      });
      assertEquals(answers, Array.from({ length: 1_000 }, (_, i) => i % 4 + 1));
      const refused = await page.evaluate(async () => {
        const { rcsp } = globalThis as unknown as Globals;
        return await rcsp.setColorLed(1, "red").catch(({ name, errorCode }) => [name, errorCode]);
      });
      assertEquals(refused, ["CommandError", "NotAllowed"]);
      await bridge.stop();
      await until(page, "the end", `rcsp.status.state === "reconnecting"`);
      assert(await page.evaluate(`rcsp.status.cause.code.startsWith("connection-")`));
    },
  },
  {
    name: "the page of docs/websocket.md shows presses",
    async run(t) {
      const driver = await t.driver();
      const origin = await ownPage(t, blockOf("html"), guideScript);
      const bridge = await t.bridge(driver, "--allow-origin", origin);
      const page = await t.page(`${origin}/#${bridge.address}`, bridge.origin);
      await until(page, "a connection", `document.body.innerText.startsWith("ready")`);
      await untilSubscribed(driver.simulator);
      await until(page, "the press", `document.body.innerText.includes("Device 1: LongPress")`);
    },
  },
  {
    name: "webSocketConnector() with a wrong token: a ConnectionError",
    async run(t) {
      const origin = await ownPage(t);
      const bridge = await t.bridge(await t.driver(), "--allow-origin", origin);
      const page = await t.blankPage();
      await page.goto(origin);
      await until(page, "the library", "globalThis.createClient !== undefined");
      const reason = await connect(page, bridge.port, "A".repeat(43));
      assertEquals(reason, ["ConnectionError", "connection-failed"]);
    },
  },
  {
    name: "webSocketConnector() connects again once the other end is back, and subscribes again",
    async run(t) {
      const { simulator } = await t.driver();
      const page = await t.blankPage();
      await page.goto(await ownPage(t));
      await until(page, "the library", "globalThis.createClient !== undefined");
      const first = await ownBridge(t, simulator, 0);
      await connect(page, first.port, "none");
      await page.evaluate(async () => {
        const { rcsp, presses } = globalThis as unknown as Globals;
        await rcsp.on("press", ({ type }) => presses.push(type)).ready;
      });
      await first.close();
      await until(page, "the loss", `rcsp.status.state === "reconnecting"`);
      await ownBridge(t, simulator, first.port);
      await until(page, "the next connection", `rcsp.stats().reconnects === 1`);
      // A client is ready when the server has answered its subscriptions.
      await until(page, "its subscriptions", `rcsp.status.state === "ready"`);
      simulator.press(1, "LongPress");
      await until(page, "the press", `String(presses) === "LongPress"`);
    },
  },
];

/** Connects in the page. Returns the name and the code of the error, if there is one. */
async function connect(page: Page, port: number, token: string): Promise<string[] | undefined> {
  return await page.evaluate(
    async (url, token) => {
      const globals = globalThis as unknown as Globals;
      const protocols = ["rcsp.v1", `token.${token}`];
      try {
        globals.rcsp = await globals.createClient(
          globals.webSocketConnector(url, { protocols, onText: () => {} }),
        );
        return undefined;
      } catch (error) {
        const { name, code } = error as { name: string; code: string };
        return [name, code];
      }
    },
    `ws://127.0.0.1:${port}/rcsp`,
    token,
  );
}

async function bundleScripts(...scripts: string[]): Promise<string[]> {
  const resolveDir = fileURLToPath(new URL(".", import.meta.url));
  const built = await Promise.all(
    scripts.map((contents) =>
      build({ stdin: { contents, resolveDir }, bundle: true, write: false, format: "esm" })
    ),
  );
  await stop();
  return built.map(({ outputFiles }) => outputFiles[0]!.text);
}

/** Serves a page with the library, and nothing else. Returns its origin. */
async function ownPage(t: CaseContext, html = HTML, code = script): Promise<string> {
  const server = createServer(({ url }, response) => {
    const [type, body] = url === "/page.js"
      ? ["text/javascript", code]
      : url === "/"
      ? ["text/html", html]
      : ["image/x-icon", ""];
    response.setHeader("content-type", type!).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A bridge without any rules: it hands each WebSocket to the simulator. */
async function ownBridge(
  t: CaseContext,
  simulator: Simulator,
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port });
  server.on("connection", (webSocket) => simulator.accept(fromWebSocket(webSocket)));
  await new Promise<void>((resolve) => server.once("listening", resolve));
  const close = (): Promise<void> => {
    for (const webSocket of server.clients) webSocket.terminate();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.defer(close);
  return { port: (server.address() as AddressInfo).port, close };
}
