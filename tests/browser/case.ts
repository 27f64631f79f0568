/** One test in the browser, and what it may use. */

import type { Browser, BrowserContext, Page } from "puppeteer-core";
import type { SimulatorOptions } from "@rcsp/rcsp/simulator";
import { type Bridge, type Driver, type Runtime, startBridge, startDriver } from "./bridge.ts";

/** Milliseconds for anything that must happen: ends a hang, not a slow machine. */
const TIMEOUT = 20_000;
const POLLING = 50;

/** A test. */
export interface BrowserCase {
  readonly name: string;
  run(context: CaseContext): Promise<void>;
}

/** A driver and a read-only bridge for all cases of a runtime that change neither. */
export class SharedBridge {
  readonly #context: CaseContext;
  #started: Promise<{ readonly driver: Driver; readonly bridge: Bridge }> | undefined;

  constructor(browser: Browser, runtime: Runtime) {
    this.#context = new CaseContext(browser, runtime, this);
  }

  /** Starts both for the first case that asks. */
  start(): Promise<{ readonly driver: Driver; readonly bridge: Bridge }> {
    return this.#started ??= this.#context.driver()
      .then(async (driver) => ({ driver, bridge: await this.#context.bridge(driver) }));
  }

  async end(): Promise<void> {
    await this.#context.end();
  }
}

/** What a case has started; all of it ends with the case. */
export class CaseContext {
  readonly runtime: Runtime;
  readonly browser: Browser;
  readonly shared: SharedBridge;
  /** Requests that left the bridge's origin, and errors on the console of a page. */
  readonly complaints: string[] = [];
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor(browser: Browser, runtime: Runtime, shared: SharedBridge) {
    this.browser = browser;
    this.runtime = runtime;
    this.shared = shared;
  }

  async driver(options?: SimulatorOptions, port?: number): Promise<Driver> {
    const driver = await startDriver(options, port);
    this.defer(() => driver.simulator.close());
    return driver;
  }

  async bridge(driver: Driver, ...args: string[]): Promise<Bridge> {
    return await this.start([...driver.flags, ...args]);
  }

  async start(args: readonly string[]): Promise<Bridge> {
    const bridge = await startBridge(this.runtime, args);
    this.defer(() => bridge.stop());
    return bridge;
  }

  /** A page of a profile of its own, which must not complain, nor ask others than the bridge. */
  async page(address: string, bridge = new URL(address).origin): Promise<Page> {
    const origins = [new URL(address).origin, bridge];
    const page = await this.blankPage();
    page.on("request", (request) => {
      const url = request.url();
      if (url.startsWith("data:") || origins.includes(new URL(url).origin)) return;
      this.complaints.push(`a request to ${url}`);
    });
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`error: ${String(error)}`));
    await page.goto(address);
    return page;
  }

  /** A page that may show errors. */
  async blankPage(): Promise<Page> {
    const profile: BrowserContext = await this.browser.createBrowserContext();
    this.defer(() => profile.close());
    const page = await profile.newPage();
    page.setDefaultTimeout(TIMEOUT);
    return page;
  }

  defer(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}

/** Waits until an expression in the page is true. Rejects with the case's own words. */
export async function until(
  page: Page,
  what: string,
  isTrue: string,
): Promise<void> {
  try {
    await page.waitForFunction(isTrue, { timeout: TIMEOUT, polling: POLLING });
  } catch (cause) {
    const text = await page.evaluate(() => document.body.innerText.slice(0, 600));
    throw new Error(`Not in time: ${what}. The page says:\n${text}`, { cause });
  }
}

/** The texts of all elements that fit a selector. */
export async function texts(page: Page, selector: string): Promise<string[]> {
  return await page.$$eval(selector, (found) => found.map(({ textContent }) => textContent ?? ""));
}
