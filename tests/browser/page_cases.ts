/** What the page shows and does. */

import { assert, assertEquals } from "@std/assert";
import { connect } from "@rcsp/rcsp";
import type { Page } from "puppeteer-core";
import type { Simulator } from "@rcsp/rcsp/simulator";
import { type BrowserCase, texts, until } from "./case.ts";

const NAMES = ["Smartglove Left", "Smartglove Right", "Smartsuit Pro", "Coil Pro"];
const PRESSES = `document.querySelectorAll("rcsp-device .presses li").length`;
/** Milliseconds from a press to its picture. */
const PRESS_TIME = 1_000;
/** A busy machine may be late; a page that polls for presses would be late each time. */
const PRESS_ATTEMPTS = 5;

export const pageCases: BrowserCase[] = [
  {
    name: "lists the driver's devices, and shows a press within a second",
    async run(t) {
      const { driver, bridge } = await t.shared.start();
      const page = await t.page(bridge.address);
      await untilDevices(page, 4);
      assertEquals(await texts(page, "rcsp-device h3"), NAMES);
      assertEquals(new URL(page.url()).hash, "");
      let fastest = Infinity;
      for (let i = 0; i < PRESS_ATTEMPTS && fastest > PRESS_TIME; i++) {
        const before = Number(await page.evaluate(PRESSES));
        await untilSubscribed(driver.simulator);
        const start = performance.now();
        await until(page, "a press", `${PRESSES} > ${before}`);
        fastest = Math.min(fastest, performance.now() - start);
      }
      assert(fastest < PRESS_TIME, `it took ${fastest} ms`);
      assertEquals((await texts(page, "rcsp-device .presses li span"))[0], "Long");
    },
  },
  {
    name: "devices come and go while the page is open",
    async run(t) {
      const driver = await t.driver();
      const page = await t.page((await t.bridge(driver)).address);
      await untilDevices(page, 4);
      driver.simulator.removeDevice(3);
      await untilDevices(page, 3);
      driver.simulator.addDevice({ DeviceId: "new", Name: "<b>New</b>", info: { Odd: ["field"] } });
      await untilDevices(page, 4);
      assertEquals((await texts(page, "rcsp-device h3")).at(-1), "<b>New</b>");
      await until(page, "its odd field", `document.body.innerText.includes('["field"]')`);
    },
  },
  {
    name: "sets the color of an LED where it is allowed, and leaves it as it was after a blink",
    async run(t) {
      const driver = await t.driver();
      const page = await t.page((await t.bridge(driver, "--allow", "SetColorLed")).address);
      await until(page, "a picker", `document.querySelector("rcsp-led input:not(:disabled)")`);
      await page.$eval("rcsp-led input", (input) => {
        (input as HTMLInputElement).value = "#0a141e";
        input.dispatchEvent(new Event("change"));
      });
      await untilColor(driver.simulator, [10, 20, 30]);
      const isIdle = `document.querySelector("rcsp-led button").ariaDisabled === "false"`;
      await page.click("aria/Identify Smartglove Left");
      await until(page, "a blink", `!(${isIdle})`);
      await until(page, "the end of the blink", isIdle);
      await untilColor(driver.simulator, [10, 20, 30]);
    },
  },
  {
    name: "is read-only by default, and shows what a refused command says",
    async run(t) {
      const { driver, bridge } = await t.shared.start();
      const page = await t.page(bridge.address);
      await untilDevices(page, 4);
      await until(page, "the hint", `document.body.innerText.includes("--allow SetColorLed")`);
      assertEquals(await page.$("rcsp-led:not([hidden])"), null);
      const command = 'SetColorLed {"DeviceId":1,"LedId":"RingLed","Red":1,"Green":2,"Blue":3}';
      await page.type("rcsp-command input", command);
      await page.keyboard.press("Enter");
      await until(page, "the refusal", `document.querySelector('pre[data-kind="error"]')`);
      const [result = ""] = await texts(page, "rcsp-command pre");
      assert(result.includes("NotAllowed"), result);
      await untilColor(driver.simulator, [0, 0, 0]);
      // The line came back empty, and the arrow key brings the command back.
      await page.keyboard.press("ArrowUp");
      assertEquals(
        await page.$eval("rcsp-command input", (input) => (input as HTMLInputElement).value),
        command,
      );
    },
  },
  {
    name: "says that the driver is away, and finds it again",
    async run(t) {
      const driver = await t.driver();
      const page = await t.page((await t.bridge(driver)).address);
      await untilDevices(page, 4);
      await driver.simulator.close();
      await until(page, "the notice", `document.body.innerText.includes("No driver at")`);
      await until(page, "faded devices", `document.querySelector("rcsp-devices[stale]")`);
      const { simulator } = await t.driver({}, driver.port);
      await until(page, "its end", `!document.body.innerText.includes("No driver at")`);
      await until(page, "the gap", `document.body.innerText.includes("Events may be missing")`);
      await until(page, "live devices", `document.querySelector("rcsp-devices:not([stale])")`);
      await untilSubscribed(simulator);
      await until(page, "a press", `${PRESSES} > 0`);
    },
  },
  {
    name: "two pages at once see the same press",
    async run(t) {
      const { driver, bridge: { address } } = await t.shared.start();
      const pages = await Promise.all([t.page(address), t.page(address)]);
      for (const page of pages) {
        await untilDevices(page, 4);
        // Its subscription is answered before anything that it asks later.
        await page.type("rcsp-command input", "ListDevices\n");
        await until(page, "an answer", `document.querySelector('pre[data-kind="ok"]')`);
      }
      driver.simulator.press(2, "DoublePress");
      for (const page of pages) await until(page, "the press", `${PRESSES} === 1`);
    },
  },
  {
    name: "draws both hands, turns them by keys, and counts their rate",
    async run(t) {
      const driver = await t.driver({ motion: true });
      const page = await t.page((await t.bridge(driver)).address);
      await until(page, "two hands", `document.querySelectorAll("rcsp-hand").length === 2`);
      assertEquals(await texts(page, "rcsp-hand h3"), ["Left", "Right"]);
      await until(page, "a rate", `/\\d+ Hz/.test(document.querySelector("rcsp-hand").innerText)`);
      await until(page, "a picture", INK);
      driver.simulator.motion!.faults = { stall: true };
      await until(
        page,
        "faded hands",
        `document.querySelectorAll("rcsp-hand[stale]").length === 2`,
      );
      await untilDevices(page, 4);
      const before = await picture(page);
      await page.focus("rcsp-hand canvas");
      await page.keyboard.press("ArrowLeft");
      await until(page, "a turn", `(${PICTURE}) !== ${JSON.stringify(before)}`);
    },
  },
  {
    name: "filters its messages, and copies one as it was on the wire",
    async run(t) {
      const { driver, bridge: { address, origin } } = await t.shared.start();
      const page = await t.page(address);
      const clipboard = ["clipboard-read", "clipboard-sanitized-write"] as const;
      await page.browserContext().overridePermissions(origin, [...clipboard]);
      await untilDevices(page, 4);
      await untilSubscribed(driver.simulator);
      await until(page, "the press", `document.querySelector(".messages button")`);
      await page.type("rcsp-log input[type=search]", "nothing has this");
      await until(page, "no message", `!document.querySelector(".messages button")`);
      await page.$eval("rcsp-log input[type=search]", (input) => {
        (input as HTMLInputElement).value = "longpress";
        input.dispatchEvent(new Event("input"));
      });
      await until(page, "the message", `document.querySelector(".messages button")`);
      await page.focus(".messages");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await until(page, "the copy", `document.querySelector("[data-result=copied]")`);
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assertEquals(JSON.parse(copied).Data, { PressType: "LongPress" });
    },
  },
  {
    name: "starts a simulator where there is no driver, by its button",
    async run(t) {
      const driver = await t.driver({ motion: true });
      await driver.simulator.close();
      const bridge = await t.bridge(driver, "--simulate");
      const page = await t.page(bridge.address);
      await until(page, "the button or devices", `document.querySelector(".primary, rcsp-device")`);
      await page.$eval(".primary", (button) => (button as HTMLElement).click()).catch(() => {});
      await untilDevices(page, 4);
      await until(page, "two hands", `document.querySelectorAll("rcsp-hand").length === 2`);
    },
  },
];

const PICTURE = `document.querySelector("rcsp-hand canvas").toDataURL()`;
/** Whether a hand is drawn: a pixel that is not transparent. */
const INK = `(() => {
  const canvas = document.querySelector("rcsp-hand canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((byte) => byte !== 0);
})()`;

async function picture(page: Page): Promise<string> {
  return String(await page.evaluate(PICTURE));
}

/** Waits until they are shown: nothing can have the focus before. */
export async function untilDevices(page: Page, count: number): Promise<void> {
  const cards = `document.querySelectorAll("[data-ready] rcsp-device").length === ${count}`;
  await until(page, `${count} devices`, cards);
}

/** Presses the left glove until somebody has subscribed to it. */
export async function untilSubscribed(simulator: Simulator): Promise<void> {
  while (simulator.press(1, "LongPress") === 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for the color of the left glove's LED, as another client sees it. */
async function untilColor(simulator: Simulator, color: number[]): Promise<void> {
  await using client = await connect({ ...simulator.address });
  for (;;) {
    const { Leds } = await client.getDeviceInfo(1) as unknown as {
      Leds: Record<string, unknown>[];
    };
    const { Red, Green, Blue } = Leds[0]!;
    if (String([Red, Green, Blue]) === String(color)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
