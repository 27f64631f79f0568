/**
 * An application that is busy for longer than the client's timeouts, while what it waits for lies in
 * the kernel: a timer that fires late must not judge before the socket was read.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { createClient } from "../src/client/create_client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { networkAdapters } from "./support/adapters.ts";
import { evalCommand, start } from "./support/runtime.ts";
import { event, ok } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

/** On the first bytes sends the first part, and the second one when the file `go` is there. */
const SERVER = `
import { createServer } from "node:net";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
const { BUSY: directory } = process.env;
const [first, second] = ["first", "second"].map((name) => readFileSync(directory + "/" + name));
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.write(first);
    writeFileSync(directory + "/got", "");
    const timer = setInterval(() => {
      if (!existsSync(directory + "/go")) return;
      clearInterval(timer);
      socket.write(second, () => writeFileSync(directory + "/sent", ""));
    }, 5);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
`;

// In milliseconds.
const TIMEOUT = 1500;
const BLOCKED = 2 * TIMEOUT;

interface Busy {
  readonly rcsp: RcspClient;
  /** Resolves when the server has got the first bytes. */
  gotBytes(): Promise<void>;
  /** Blocks for longer than `TIMEOUT`, and until the second part is in the kernel. */
  block(): Promise<void>;
}

async function withBusy(
  [first, second]: [Uint8Array, Uint8Array],
  options: ConnectOptions,
  use: (busy: Busy) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rcsp-busy-"));
  writeFileSync(`${directory}/first`, first);
  writeFileSync(`${directory}/second`, second);
  const server = start(evalCommand(SERVER), { env: { BUSY: directory } });
  try {
    const address = { host: "127.0.0.1", port: Number(await server.nextLine()) };
    const { connector } = networkAdapters[0]!;
    const rcsp = await createClient(connector, { ...address, reconnect: false, ...options });
    try {
      await use({
        rcsp,
        async gotBytes() {
          while (!existsSync(`${directory}/got`)) await sleep(1);
        },
        async block() {
          // In a callback of I/O, as after it all three look at timers first.
          await stat(directory);
          const end = performance.now() + BLOCKED;
          writeFileSync(`${directory}/go`, "");
          while (performance.now() < end || !existsSync(`${directory}/sent`)) pause(5);
        },
      });
      assertStrictEquals(rcsp.status.state, "ready");
    } finally {
      await rcsp.close();
    }
  } finally {
    await server.end();
    rmSync(directory, { recursive: true });
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Stops the whole thread. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const NOTHING = new Uint8Array();
const ANSWER = ok({ trackId: "1" }, { of: "A" });
const FLOOD = concat([...Array.from({ length: 10_000 }, (_, n) => event({ n })), ANSWER]);

test("a frame whose rest is in the kernel's buffer survives a busy application", () =>
  withBusy([ANSWER.subarray(0, 20), ANSWER.subarray(20)], {
    partialFrameTimeout: TIMEOUT,
  }, async ({ rcsp, block }) => {
    const call = rcsp.call("A");
    while (rcsp.stats().bytesReceived === 0) await sleep(1);
    await block();
    assertEquals(await call, { of: "A" });
  }));

for (const [what, second] of Object.entries({ "alone": ANSWER, "behind 10,000 events": FLOOD })) {
  test(`a call whose response is in the kernel's buffer ${what} survives a busy application`, () =>
    withBusy([NOTHING, second], {}, async ({ rcsp, gotBytes, block }) => {
      const call = rcsp.call("A", undefined, { timeout: TIMEOUT });
      await gotBytes();
      await block();
      assertEquals(await call, { of: "A" });
    }));
}

test("a heartbeat whose response is in the kernel's buffer survives a busy application", () =>
  withBusy([NOTHING, ANSWER], {
    heartbeat: 100,
    commandTimeout: TIMEOUT,
  }, async ({ rcsp, gotBytes, block }) => {
    await gotBytes();
    await block();
    while (rcsp.stats().answered === 0 && rcsp.status.state === "ready") await sleep(1);
  }));
