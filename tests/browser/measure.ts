/**
 * Measures the page of `rcsp ui` in a real browser: the figures of docs/ui.md.
 *
 * node tests/browser/measure.ts [bytes] [start] [share] [memory] [picture] [--command FILE]
 *
 * --command measures the start of a packed command; 'picture' takes that of the documentation.
 */

import { writeFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { parseArgs } from "@std/cli/parse-args";
import type { Browser, CDPSession, Page } from "puppeteer-core";
import { type Runtime, RUNTIMES, startBridge, startDriver } from "./bridge.ts";
import { startBrowser } from "./browser.ts";
import { bundlePage } from "../../dev/bundle_page.ts";
import { root } from "../../dev/gate/step.ts";

const STARTS = 7;
const SHARE_TIME = 10_000;
const EVENTS = 100_000;
const BATCH = 500;
const STRIP_TIME = 40_000;

const { _: parts, command } = parseArgs(process.argv.slice(2), { string: ["command"] });
const isWanted = (part: string): boolean => parts.length === 0 || parts.includes(part);

const browser = await startBrowser();
try {
  if (isWanted("bytes")) await measureBytes();
  if (isWanted("start")) {
    for (const runtime of Object.keys(RUNTIMES) as Runtime[]) await measureStart(browser, runtime);
  }
  if (isWanted("share")) await measureShare(browser);
  if (isWanted("memory")) await measureMemory(browser);
  if (parts.includes("picture")) await takePicture(browser);
} finally {
  await browser.close();
}

async function measureBytes(): Promise<void> {
  const sizes = Object.entries(await bundlePage()).map(([path, text]) => ({
    path,
    bytes: gzipSync(text, { level: 9 }).length,
  }));
  const sum = sizes.reduce((total, { bytes }) => total + bytes, 0);
  const parts = sizes.map(({ path, bytes }) => `${path} ${bytes}`).join(", ");
  console.log(`bytes, gzipped: ${sum} (${parts})`);
}

/** From the start of the command until the first device is drawn. */
async function measureStart(browser: Browser, runtime: Runtime): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const page = await browser.newPage();
    const start = performance.now();
    const bridge = await startBridge(runtime, ["--simulate"], command);
    await page.goto(bridge.address);
    await page.waitForSelector("rcsp-device h3", { visible: true });
    await page.evaluate(() => new Promise(requestAnimationFrame));
    times.push(performance.now() - start);
    await page.close();
    await bridge.stop();
  }
  const [first, ...warm] = times;
  const median = warm.sort((a, b) => a - b)[warm.length >> 1]!;
  console.log(
    `first device on ${runtime}: ${Math.round(median)} ms (first start ${Math.round(first!)})`,
  );
}

/** The share of the main thread's time on a processor, with two hands. */
async function measureShare(browser: Browser): Promise<void> {
  await withPage(browser, "node", ["--simulate"], async (page) => {
    await page.waitForFunction(`document.querySelectorAll("rcsp-hand").length === 2`);
    await delay(2_000);
    const session = await page.createCDPSession();
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const before = await metrics(session);
    const start = performance.now();
    await delay(SHARE_TIME);
    const after = await metrics(session);
    const time = (performance.now() - start) / 1000;
    const share = (name: string): string =>
      `${((after[name]! - before[name]!) / time * 100).toFixed(1)} %`;
    console.log(`main thread: ${share("TaskDuration")}, scripts ${share("ScriptDuration")}`);
  });
}

/** The heap after many presses, garbage collected. */
async function measureMemory(browser: Browser): Promise<void> {
  const { simulator, flags } = await startDriver();
  await withPage(browser, "node", flags, async (page) => {
    const session = await page.createCDPSession();
    await session.send("Performance.enable");
    const heap = async (): Promise<string> => {
      await session.send("HeapProfiler.collectGarbage");
      const { JSHeapUsedSize = 0, Nodes = 0 } = await metrics(session);
      return `${(JSHeapUsedSize / 1e6).toFixed(1)} MB, ${Nodes} nodes`;
    };
    while (simulator.press(1, "SinglePress") === 0) await delay(20);
    for (let sent = 0; sent <= EVENTS; sent += BATCH) {
      if (sent % (EVENTS / 2) === 0) console.log(`after ${sent} presses: ${await heap()}`);
      for (let i = 0; i < BATCH; i++) simulator.press(1, "SinglePress");
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
    const shown = await page.$eval("rcsp-device .count", ({ textContent }) => textContent);
    console.log(`presses that the page counted: ${shown}`);
  });
  await simulator.close();
}

/** The picture of the documentation. */
async function takePicture(browser: Browser): Promise<void> {
  await withPage(browser, "node", ["--simulate", "--allow", "SetColorLed"], async (page) => {
    await page.setViewport({ width: 1280, height: 800 });
    await page.waitForSelector("rcsp-led input:not(:disabled)");
    await page.$$eval("rcsp-led input", (pickers) => {
      for (const [i, color] of ["#5aa9ff", "#ffab57"].entries()) {
        (pickers[i] as HTMLInputElement).value = color;
        pickers[i]!.dispatchEvent(new Event("change"));
      }
    });
    await page.type("rcsp-command input", 'GetDeviceInfo {"DeviceId": 1}\n');
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    // The strip has something to show.
    await delay(STRIP_TIME);
    const png = await page.screenshot();
    await writeFile(`${root}docs/images/ui.png`, png);
    console.log(`picture: ${png.length} bytes`);
  });
}

async function withPage(
  browser: Browser,
  runtime: Runtime,
  args: readonly string[],
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const bridge = await startBridge(runtime, args);
  const page = await browser.newPage();
  await page.goto(bridge.address);
  await page.waitForSelector("rcsp-device");
  await use(page);
  await page.close();
  await bridge.stop();
}

async function metrics(session: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}
