/** What holds while a page stays open: after losses, with many messages, with the keyboard alone. */

import { assert, assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { type BrowserCase, type CaseContext, texts, until } from "./case.ts";
import { untilDevices, untilSubscribed } from "./page_cases.ts";

const WARNING = `document.querySelector(".warning:not([hidden])")?.textContent ?? ""`;

export const lastingCases: BrowserCase[] = [
  {
    name: "a page that was opened after a gap does not warn of it",
    async run(t) {
      const driver = await t.driver();
      const { address } = await t.bridge(driver);
      const before = await t.page(address);
      await untilDevices(before, 4);
      await driver.simulator.close();
      await until(before, "the notice", `document.body.innerText.includes("No driver at")`);
      await t.driver({}, driver.port);
      await until(before, "the gap", `(${WARNING}).includes("without a driver")`);
      const after = await t.page(address);
      await untilDevices(after, 4);
      assertEquals(await after.evaluate(WARNING), "");
    },
  },
  {
    name: "a page that lost its bridge for a while warns of it, and shows the next press",
    async run(t) {
      const { driver, bridge } = await t.shared.start();
      const page = await ownSockets(t);
      await page.goto(bridge.address);
      await untilDevices(page, 4);
      await untilSubscribed(driver.simulator);
      await page.evaluate(`sockets.forEach((socket) => socket.close(4000))`);
      await until(page, "the gap", `(${WARNING}).includes("without a bridge")`);
      await untilDevices(page, 4);
      const presses = `document.querySelectorAll("rcsp-device .presses li").length`;
      const count = Number(await page.evaluate(presses));
      await until(page, "its connection", `document.querySelector("rcsp-bar[data-state=ready]")`);
      await untilSubscribed(driver.simulator);
      await until(page, "a press", `${presses} > ${count}`);
    },
  },
  {
    name: "the address of a bridge that was started again works in the same tab",
    async run(t) {
      const { bridge } = await t.shared.start();
      const page = await t.blankPage();
      await page.goto(`${bridge.origin}/#${"A".repeat(43)}`);
      await until(page, "the refusal", `document.body.innerText.includes("refuses this page")`);
      await page.evaluate((address) => location.assign(address), bridge.address);
      await untilDevices(page, 4);
      assertEquals(new URL(page.url()).hash, "");
    },
  },
  {
    name: "a page that stays refused stops to ask",
    async run(t) {
      const { bridge } = await t.shared.start();
      const page = await ownSockets(t);
      await page.evaluateOnNewDocument(() => {
        const { setTimeout } = globalThis;
        Object.assign(globalThis, {
          setTimeout: (action: () => void, delay = 0) => setTimeout(action, delay / 50),
        });
      });
      await page.goto(`${bridge.origin}/#${"A".repeat(43)}`);
      await until(page, "40 attempts", `sockets.length >= 40`);
      // 100 seconds for the page: time for 50 more.
      await page.evaluate(`new Promise((resolve) => setTimeout(resolve, 100_000))`);
      const attempts = Number(await page.evaluate(`sockets.length`));
      assert(attempts < 60, `${attempts}`);
      await until(page, "its button", `document.body.innerText.includes("Try again")`);
    },
  },
  {
    name: "after its bridge has ended, the page shows no round trip and asks for no glove",
    async run(t) {
      const bridge = await t.bridge(await t.driver({ motion: true }));
      const page = await t.blankPage();
      await page.goto(bridge.address);
      await until(page, "two hands", `document.querySelectorAll("rcsp-hand").length === 2`);
      await until(page, "a round trip", `document.querySelector("rcsp-bar dd").innerText !== "–"`);
      await bridge.stop();
      await until(page, "the notice", `document.body.innerText.includes("The bridge has ended")`);
      await until(page, "no hands", `document.querySelectorAll("rcsp-hand").length === 0`);
      assertEquals((await texts(page, "rcsp-bar dd"))[0], "–");
      assert(!(await page.evaluate(() => document.body.innerText)).includes("Put on a glove"));
    },
  },
  {
    name: "works where the browser may keep nothing",
    async run(t) {
      const { bridge } = await t.shared.start();
      const page = await t.blankPage();
      await page.evaluateOnNewDocument(() => {
        for (const area of ["localStorage", "sessionStorage"]) {
          Object.defineProperty(globalThis, area, {
            get() {
              throw new DOMException("denied", "SecurityError");
            },
          });
        }
      });
      await page.goto(bridge.address);
      await untilDevices(page, 4);
      await page.type("rcsp-command input", "ListDevices\n");
      await until(page, "an answer", `document.querySelector('pre[data-kind="ok"]')`);
    },
  },
  {
    name: "a huge response is cut where it is shown",
    async run(t) {
      const driver = await t.driver();
      const keys = Array.from({ length: 100_000 }, (_, i) => [`Key${i}`, i]);
      driver.simulator.server.handle("Huge", () => Object.fromEntries(keys));
      const page = await t.page((await t.bridge(driver, "--allow", "Huge")).address);
      await untilDevices(page, 4);
      await page.type("rcsp-command input", "Huge\n");
      await until(page, "an answer", `document.querySelector('pre[data-kind="ok"]')`);
      const [shown = ""] = await texts(page, "rcsp-command pre");
      assert(shown.startsWith('{\n  "Key0": 0') && shown.length < 50_000, `${shown.length}`);
    },
  },
  {
    name: "a message that somebody reads stays in its place while others come",
    async run(t) {
      const driver = await t.driver();
      const page = await t.page((await t.bridge(driver)).address);
      await untilDevices(page, 4);
      await untilSubscribed(driver.simulator);
      const count = `document.querySelectorAll(".messages li").length`;
      for (let i = 0; i < 30; i++) driver.simulator.press(1, "SinglePress");
      await until(page, "30 messages", `${count} > 30`);
      await page.evaluate(`
        document.querySelector(".scroll").scrollTop = 500;
        globalThis.row = document.querySelectorAll(".messages li")[8];
      `);
      const place = `row.getBoundingClientRect().top - row.closest("rcsp-log").offsetTop`;
      const before = Number(await page.evaluate(place));
      const known = Number(await page.evaluate(count));
      for (let i = 0; i < 20; i++) driver.simulator.press(1, "LongPress");
      await until(page, "20 more", `${count} >= ${known + 20}`);
      const moved = Number(await page.evaluate(place)) - before;
      assert(Math.abs(moved) < 2, `it moved by ${moved} pixels`);
    },
  },
  {
    name: "the keyboard stays where it is: in the messages, and at Identify",
    async run(t) {
      const driver = await t.driver();
      const page = await t.page((await t.bridge(driver, "--allow", "SetColorLed")).address);
      await untilDevices(page, 4);
      await untilSubscribed(driver.simulator);
      await until(page, "a message", `document.querySelector(".messages button")`);
      await page.focus(".messages");
      await page.keyboard.press("ArrowDown");
      assertEquals(await focused(page), "BUTTON");
      for (let i = 0; i < 200; i++) driver.simulator.press(1, "SinglePress");
      await until(page, "presses", `document.querySelector("rcsp-device .count").innerText > 200`);
      assertEquals(await focused(page), "OL");
      await until(page, "an LED", `document.querySelector("rcsp-led button:not(:disabled)")`);
      await page.focus("rcsp-led button");
      await page.keyboard.press("Enter");
      const isBusy = `document.querySelector("rcsp-led button").ariaDisabled`;
      await until(page, "a blink", `${isBusy} === "true"`);
      await until(page, "the end of the blink", `${isBusy} === "false"`);
      assertEquals(await focused(page), "BUTTON");
    },
  },
];

async function focused(page: Page): Promise<string | undefined> {
  return await page.evaluate(() => document.activeElement?.tagName);
}

/** A page that lists its own WebSockets as `sockets`. */
async function ownSockets(t: CaseContext): Promise<Page> {
  const page = await t.blankPage();
  await page.evaluateOnNewDocument(() => {
    const sockets: WebSocket[] = [];
    Object.assign(globalThis, {
      sockets,
      WebSocket: class extends WebSocket {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      },
    });
  });
  return page;
}
