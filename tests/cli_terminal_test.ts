/** The program in a terminal with job control, which `tests/support/terminal.py` plays. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "../mod.ts";
import { runtime, runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));
const script = fileURLToPath(new URL("./support/terminal.py", import.meta.url));

const SERVE = runtimeCommand(program, "serve", "--port", "0");
const CTRL_C = "\x03";
const CTRL_Z = "\x1a";

/** Has the shell do something, by the name of a function of the script; gives what that returns. */
type Shell = (action: string, ...args: unknown[]) => Promise<unknown>;

async function withShell(use: (shell: Shell) => Promise<void>): Promise<void> {
  const child = start(["python3", "-B", script]);
  try {
    await use(async (...request) => {
      child.write(`${JSON.stringify(request)}\n`);
      const { result, error } = JSON.parse(await child.nextLine());
      assertEquals(error, undefined, `${request[0]}: ${error}`);
      return result;
    });
  } finally {
    child.closeStdin();
    await child.ended;
  }
}

async function portOf(shell: Shell): Promise<number> {
  await shell("see", "listening on 127.0.0.1:");
  return parseInt(String(await shell("see", "\n")));
}

/** A process that is stopped has a port that takes connections, and no answer. */
async function assertServes(port: number): Promise<void> {
  const rcsp = await connect({ host: "127.0.0.1", port, reconnect: false });
  assertEquals((await rcsp.listDevices()).length, 4);
  await rcsp.close();
}

test("serve in the background is not stopped, and reads keys once it is in the foreground", () =>
  withShell(async (shell) => {
    await shell("start", SERVE, false);
    const port = await portOf(shell);
    await shell("see", "q ends");
    await assertServes(port);
    // To the shell, not to it.
    await shell("type_keys", "1\n");
    await assertServes(port);
    assertEquals([await shell("state"), await shell("lines")], ["running", true]);
    await shell("to_front");
    await shell("reads_keys");
    await shell("type_keys", "2");
    await shell("see", "DoublePress of 1");
    await shell("type_keys", "q");
    assertEquals([await shell("change"), await shell("lines")], ["ended with 0", true]);
  }));

test("serve is stopped by Ctrl-Z, and reads keys again after fg", () =>
  withShell(async (shell) => {
    await shell("start", SERVE, true);
    const port = await portOf(shell);
    for (let round = 0; round < 2; round++) {
      await shell("reads_keys");
      await shell("type_keys", "3");
      await shell("see", "LongPress of 1");
      await shell("type_keys", CTRL_Z);
      assertEquals([await shell("change"), await shell("lines")], ["stopped by SIGTSTP", true]);
      await shell("to_front");
      await shell("resume");
      await assertServes(port);
    }
    await shell("reads_keys");
    await shell("type_keys", CTRL_C);
    assertEquals([await shell("change"), await shell("lines")], ["ended with 0", true]);
  }));

test("serve continues in the background after Ctrl-Z and bg, and ends there", () =>
  withShell(async (shell) => {
    await shell("start", SERVE, true);
    const port = await portOf(shell);
    await shell("reads_keys");
    await shell("type_keys", CTRL_Z);
    assertEquals(await shell("change"), "stopped by SIGTSTP");
    await shell("resume");
    await assertServes(port);
    await shell("type_keys", "1\n");
    await assertServes(port);
    assertEquals([await shell("state"), await shell("lines")], ["running", true]);
    await shell("kill", "SIGTERM");
    assertEquals([await shell("change"), await shell("lines")], ["ended with 0", true]);
  }));

test("serve that another stopped reads keys again after fg", () =>
  withShell(async (shell) => {
    await shell("start", SERVE, true);
    await shell("reads_keys");
    await shell("kill", "SIGSTOP");
    assertEquals(await shell("change"), "stopped by SIGSTOP");
    await shell("to_front");
    await shell("resume");
    await shell("type_keys", "1");
    await shell("see", "SinglePress of 1");
    await shell("type_keys", "q");
    assertEquals([await shell("change"), await shell("lines")], ["ended with 0", true]);
  }));

for (const args of [["list"], ["watch", "--count", "1"], ["doctor"]]) {
  test(`'rcsp ${args.join(" ")}' in the background is not stopped`, () =>
    withShell(async (shell) => {
      await shell("start", runtimeCommand(program, ...args, "--simulate"), false);
      assertEquals(await shell("change"), "ended with 0");
    }));
}

test("the '^C' of a terminal is not in front of the last line", () =>
  withShell(async (shell) => {
    await shell("start", runtimeCommand(program, "watch", "--simulate"), true);
    await shell("see", "Ctrl-C ends");
    await shell("type_keys", CTRL_C);
    await shell("see", "^C");
    assertStringIncludes(String(await shell("see", "shown")), "\r  \r");
    assertEquals(await shell("change"), "ended with 0");
  }));

test("without Deno's permission for all there are no keys, and Ctrl-Z and Ctrl-C work", () =>
  withShell(async (shell) => {
    if (runtime !== "deno") return;
    await shell("start", SERVE.map((part) => part === "-A" ? "-N" : part), true);
    const port = await portOf(shell);
    await assertServes(port);
    assert(await shell("lines"));
    await shell("type_keys", CTRL_Z);
    assertEquals(await shell("change"), "stopped by SIGTSTP");
    await shell("to_front");
    await shell("resume");
    await assertServes(port);
    await shell("type_keys", CTRL_C);
    assertEquals(await shell("change"), "ended with 0");
  }));
