/**
 * Measures `rcsp ui`: how long it takes to start, and its memory over ten minutes of events that pass as
 * fast as they can.
 *
 * node dev/measure_ui.ts start|memory [node cli/mod.ts]     the command to measure comes last; default:
 *                                                           this runtime, this checkout. Linux only.
 */

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { listen } from "../adapters/node.ts";
import { type WebSocketClass, webSocketConnector } from "../adapters/websocket.ts";
import { createClient } from "../src/client/create_client.ts";
import { createMotionClient } from "../src/motion/motion_client.ts";
import type { Connector } from "../src/socket/socket.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { sleep } from "../tests/support/wait.ts";

const STARTS = 9;
const MINUTES = 10;
/** Milliseconds between two frames of a hand. */
const FRAME = 12;

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));
const [what, ...given] = process.argv.slice(2);
const command = given.length > 0 ? given : [process.execPath, program];

if (what === "start") await measureStart();
else if (what === "memory") await measureMemory();
else console.log("node dev/measure_ui.ts start|memory [command]");

/** Time to the address, and to the first device over the WebSocket. */
async function measureStart(): Promise<void> {
  const [toAddress, toDevice]: [number[], number[]] = [[], []];
  for (let i = 0; i <= STARTS; i++) {
    const start = performance.now();
    const bridge = await startBridge("--simulate");
    const addressAt = performance.now() - start;
    const client = await createClient(bridge.connector("rcsp", "rcsp.v1"), { reconnect: false });
    while ((await client.listDevices().catch(() => [])).length === 0) await sleep(1);
    // The first one is not warm.
    if (i > 0) {
      toAddress.push(addressAt);
      toDevice.push(performance.now() - start);
    }
    await client.close();
    await bridge.end();
  }
  console.log(`address line: ${describe(toAddress)}; first device: ${describe(toDevice)}`);
}

/** Resident memory before and after, with two pages that read everything. */
async function measureMemory(): Promise<void> {
  const clock = new FakeClock();
  const simulator = new Simulator({ motion: true, pressEvery: 100, clock } as object);
  const { port } = await simulator.serve(listen);
  const { hands } = await simulator.serveMotion(listen);
  const bridge = await startBridge(
    ...["--driver-port", `${port}`, "--motion-port", `${hands.port}`, "--driver-host", "127.0.0.1"],
  );
  const counts = { presses: 0 };
  const clients = [];
  for (let i = 0; i < 2; i++) {
    const client = await createClient(bridge.connector("rcsp", "rcsp.v1"), { reconnect: false });
    while ((await client.listDevices().catch(() => [])).length === 0) await sleep(1);
    await client.on("press", () => counts.presses++).ready;
    const motion = await createMotionClient(bridge.connector("rgmp", "rgmp.v2"), {
      reconnect: false,
    });
    clients.push({ client, motion });
  }
  const memory: number[] = [];
  const steps = MINUTES * 60_000 / FRAME;
  for (let step = 0; step <= steps; step++) {
    clock.advance(FRAME);
    await sleep(0);
    if (step % (steps / MINUTES) === 0) memory.push(await residentMegabytes(bridge.pid));
  }
  const samples = clients.map(({ motion }) => motion.stats().samples).join(" and ");
  console.log(
    `${counts.presses} presses, ${samples} hand frames; resident MB at the start and after each ` +
      `minute: ${memory.join(" ")}`,
  );
  for (const { client, motion } of clients) await Promise.all([client.close(), motion.close()]);
  await bridge.end();
  await simulator.close();
}

/** A running bridge. */
interface Bridge {
  readonly pid: number;
  connector(path: string, protocol: string): Connector;
  end(): Promise<void>;
}

async function startBridge(...args: string[]): Promise<Bridge> {
  const [executable = "", ...rest] = command;
  const child = spawn(executable, [...rest, "ui", "--port", "0", "--no-open", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { host, hash } = new URL((await lines.next()).value ?? "");
  return {
    pid: child.pid ?? 0,
    connector: (path, protocol) =>
      webSocketConnector(`ws://${host}/${path}`, {
        protocols: [protocol, `token.${hash.slice(1)}`],
        onText: () => {},
        WebSocket: WebSocket as unknown as WebSocketClass,
      }),
    async end() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function describe(times: readonly number[]): string {
  const sorted = times.map(Math.round).toSorted((one, other) => one - other);
  return `median ${sorted[sorted.length >> 1]} ms (${sorted[0]} to ${sorted.at(-1)})`;
}
