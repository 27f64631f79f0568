/** Chromium: an installed one by `CHROME_PATH`, or the one of the development packages (Linux, x64). */

import process from "node:process";
import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser } from "puppeteer-core";

/** A name that leads to this machine, as a rebound one does. */
export const REBOUND = "evil.example";

/** Starts the browser. Throws a sentence that says what to do if there is none. */
export async function startBrowser(): Promise<Browser> {
  const installed = process.env["CHROME_PATH"] || undefined;
  try {
    return await puppeteer.launch({
      executablePath: installed ?? await chromium.executablePath(),
      headless: installed === undefined ? "shell" : true,
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
      ],
    });
  } catch (cause) {
    const lines = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    // A library that is missing is said further down.
    const reason = lines.find((line) => line.includes("error while loading")) ?? lines[0];
    throw new Error(
      `Cannot start a browser: ${reason}. Install Chromium, set CHROME_PATH to its program, and run this again`,
      { cause },
    );
  }
}
