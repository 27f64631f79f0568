/** Who may open the page's WebSocket, as a real browser asks for it. */

import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "puppeteer-core";
import type { Bridge } from "./bridge.ts";
import { REBOUND } from "./browser.ts";
import { type BrowserCase, type CaseContext, until } from "./case.ts";

/** From where, to which host, with which token, and whether it opens. */
interface Attempt {
  readonly from: string;
  readonly page: (bridge: Bridge, foreign: number) => string;
  readonly host?: string;
  readonly token?: (token: string) => string;
  readonly opens?: boolean;
}

const own = ({ origin }: Bridge): string => `${origin}/`;

const ATTEMPTS: readonly Attempt[] = [
  { from: "its own page", page: own, opens: true },
  {
    from: "its own page by its other name",
    page: ({ port }) => `http://localhost:${port}/`,
    host: "localhost",
    opens: true,
  },
  { from: "its own page with a wrong token", page: own, token: () => "A".repeat(43) },
  { from: "its own page with half a token", page: own, token: (token) => token.slice(0, 20) },
  { from: "its own page without a token", page: own, token: () => "" },
  {
    from: "a page on another port of this machine",
    page: (_, foreign) => `http://127.0.0.1:${foreign}/`,
  },
  {
    from: "a page of another loopback name",
    page: (_, foreign) => `http://other.localhost:${foreign}/`,
    host: "other.localhost",
  },
  { from: "a foreign page", page: (_, foreign) => `http://${REBOUND}:${foreign}/` },
  {
    from: "a page whose name was rebound to this machine",
    page: (_, foreign) => `http://${REBOUND}:${foreign}/`,
    host: REBOUND,
  },
  { from: "a data: page", page: () => "data:text/html,<p>data" },
];

export const securityCases: BrowserCase[] = [
  {
    name: "only its own page with its token opens a WebSocket",
    async run(t) {
      const driver = await t.driver({ motion: true });
      const bridge = await t.bridge(driver);
      const foreign = await foreignServer(t);
      for (const { from, page: address, host = "127.0.0.1", token, opens = false } of ATTEMPTS) {
        const page = await t.blankPage();
        await page.goto(address(bridge, foreign));
        const offered = token === undefined ? bridge.token : token(bridge.token);
        for (const [path, protocol] of [["/rcsp", "rcsp.v1"], ["/rgmp", "rgmp.v2"]] as const) {
          const protocols = offered === "" ? [protocol] : [protocol, `token.${offered}`];
          const opened = await canOpen(page, `ws://${host}:${bridge.port}${path}`, protocols);
          assertEquals(opened, opens, `from ${from} to ${path}`);
        }
      }
    },
  },
  {
    name: "a rebound name gets no page, and a foreign page cannot read or frame it",
    async run(t) {
      const { bridge } = await t.shared.start();
      const page = await t.blankPage();
      const response = await page.goto(`http://${REBOUND}:${bridge.port}/`);
      assertEquals(response?.status(), 403);
      await page.goto(`http://${REBOUND}:${await foreignServer(t)}/`);
      const { read, framed } = await page.evaluate(async (address) => {
        const frame = document.createElement("iframe");
        frame.src = address;
        const loaded = new Promise((resolve) => frame.onload = resolve);
        document.body.append(frame);
        await loaded;
        const read = await fetch(address).then(() => true, () => false);
        return { read, framed: frames.length };
      }, bridge.origin);
      assertEquals(read, false);
      assertEquals(framed, 1);
      // What the frame shows is the browser's own page about the refusal.
      const inner = page.frames().find((frame) => frame !== page.mainFrame());
      assertEquals(inner?.url().startsWith("chrome-error:"), true);
    },
  },
  {
    name: "a page without its token, or with a wrong one, says what to do",
    async run(t) {
      const { bridge: { origin } } = await t.shared.start();
      const without = await t.page(`${origin}/`);
      await until(without, "no token", `document.body.innerText.includes("has no token")`);
      const wrong = await t.blankPage();
      await wrong.goto(`${origin}/#${"A".repeat(43)}`);
      await until(wrong, "the refusal", `document.body.innerText.includes("refuses this page")`);
      assert(!wrong.url().includes("AAAA"));
    },
  },
  {
    name: "what a driver says never becomes markup",
    async run(t) {
      const attack = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b>";
      const driver = await t.driver({
        devices: [
          {
            DeviceId: attack,
            Name: attack,
            Type: attack,
            info: { [attack]: [attack], Side: "left" },
          },
          { DeviceId: 2, Name: "N".repeat(10_000), info: { ["K".repeat(10_000)]: "\u202Eevil" } },
        ],
      });
      const page = await t.page((await t.bridge(driver)).address);
      await until(page, "the devices", `document.querySelectorAll("rcsp-device").length === 2`);
      await until(page, "its fields", `document.body.innerText.includes("\\\\u202eevil")`);
      driver.simulator.press(attack, "SinglePress");
      assertEquals(await page.$("main img, main b"), null);
      assertEquals(await page.title(), "rcsp");
      const { width, seen } = await page.evaluate(() => ({
        width: document.documentElement.scrollWidth,
        seen: innerWidth,
      }));
      assertEquals(width, seen);
    },
  },
];

/** A server of nobody's, on a port of its own. */
async function foreignServer(t: CaseContext): Promise<number> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html").end("<!DOCTYPE html><p>foreign");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function canOpen(page: Page, url: string, protocols: string[]): Promise<boolean> {
  return await page.evaluate(
    (url, protocols) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(url, protocols);
        socket.onerror = () => resolve(false);
        socket.onopen = () => {
          socket.close();
          resolve(true);
        };
      }),
    url,
    protocols,
  );
}
