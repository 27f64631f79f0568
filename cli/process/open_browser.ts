/**
 * Opening a page in the user's browser.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";

/**
 * Opens an address with what the system uses for it. Nothing happens where there is no display or no such
 * program: the address is printed anyway.
 */
export function openBrowser(url: string): void {
  const [program, ...args] = browserCommand(process.platform, process.env) ?? [];
  if (program === undefined) return;
  const child = spawn(program, [...args, url], { detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}

/** The command that opens an address, which comes last; `undefined` where there is none. */
export function browserCommand(
  platform: string,
  env: Readonly<Record<string, string | undefined>>,
): string[] | undefined {
  switch (platform) {
    case "darwin":
      return ["open"];
    case "win32":
      // The empty argument is the title of the window.
      return ["cmd", "/c", "start", ""];
    default:
      return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? ["xdg-open"] : undefined;
  }
}
