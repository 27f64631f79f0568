import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { fileURLToPath } from "node:url";
import { connectMotion, type MotionClient, OPENXR_JOINT_NAMES, type Sample } from "../motion.ts";
import { listen, MotionServer } from "../server.ts";
import { startSimulator } from "../simulator.ts";
import { ProtocolError } from "../src/errors.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import type { JsonObject } from "../src/message/json.ts";
import { toHex } from "./support/frames.ts";
import { bitsOf, dataPayload, definitionOf, motionFrame } from "./support/motion.ts";
import { start, type StartedChild } from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

/** A frame as Python sent or received it. */
interface Shown {
  prefix?: number;
  definition?: JsonObject;
  device: number;
  group: number;
  time: string;
  bits: string[][];
}

// -B: no cache files beside the sources.
const python = (...args: string[]): StartedChild =>
  start([
    "python3",
    "-B",
    fileURLToPath(new URL("./interop/motion_network.py", import.meta.url)),
    ...args,
  ]);

class PythonServer {
  readonly child: StartedChild;
  readonly port: number;

  constructor(child: StartedChild, port: number) {
    this.child = child;
    this.port = port;
  }

  static async start(port = 0): Promise<PythonServer> {
    const child = python("serve", "--port", String(port));
    const line = await child.nextLine();
    return new PythonServer(child, Number(/^listening on 127\.0\.0\.1:(\d+)$/.exec(line)![1]));
  }

  tell(command: string): void {
    this.child.write(`${command}\n`);
  }

  /** Sends frames of both hands, and returns those that it says it has sent. */
  async send(count: number): Promise<Shown[]> {
    this.tell(`send ${count}`);
    const shown: Shown[] = [];
    for (;;) {
      const line = JSON.parse(await this.child.nextLine());
      if ("sent" in line) return shown;
      shown.push(line);
    }
  }
}

async function withPythonServer(
  use: (server: PythonServer, motion: MotionClient) => Promise<void>,
): Promise<void> {
  const server = await PythonServer.start();
  try {
    const motion = await connectMotion({
      port: server.port,
      reconnect: { initialDelay: 1, maxDelay: 20 },
    });
    try {
      await until(() => motion.devices().length === 2);
      await use(server, motion);
    } finally {
      await motion.close();
    }
  } finally {
    await server.child.end();
  }
}

function show(sample: Sample): Shown {
  return {
    device: sample.deviceId,
    group: sample.group.id,
    time: String(sample.deviceTime),
    bits: sample.group.streams.map((stream) => bitsOf(sample, stream)),
  };
}

/** The distance between the joints of both groups, where they correspond. */
function worstDistance(motion: MotionClient): number {
  const names = OPENXR_JOINT_NAMES.filter((name) => name !== "palm");
  const distances = motion.hands().flatMap(({ local, openXr }) =>
    names.map((name) => {
      const [a, b] = [local!.get(name)!.position, openXr!.get(name)!.position];
      return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!);
    })
  );
  assertEquals(distances.length, 50);
  return Math.max(...distances);
}

test("our client reads the hands of a Python server float32 for float32", () =>
  withPythonServer(async (server, motion) => {
    const received: Shown[] = [];
    motion.on("sample", (sample) => received.push(show(sample)));
    const sent = await server.send(50);
    await until(() => received.length === sent.length);
    assertEquals(sent.length, 200);
    assertEquals(received, sent);
    assertEquals(motion.hands().map(({ side, error }) => [side, error]), [
      ["left", undefined],
      ["right", undefined],
    ]);
    const worst = worstDistance(motion);
    assert(worst < 1e-5, `forward kinematics differ from Python's by ${worst} m`);
  }));

test("our client survives the restart of a Python server", () =>
  withPythonServer(async (server, motion) => {
    await server.send(1);
    await until(() => motion.stats().samples === 4);
    const samples = motion.samples(1, "joints_openxr", { every: true });
    await server.child.end();
    await until(() => motion.devices().length === 0);
    const again = await PythonServer.start(server.port);
    try {
      await until(() => motion.devices().length === 2);
      const sent = (await again.send(5)).filter(({ device, group }) => device === 1 && group === 1);
      const received: Shown[] = [];
      for await (const sample of samples) if (received.push(show(sample)) === 5) break;
      assertEquals(received, sent);
      assertEquals([samples.gaps, samples.dropped, motion.stats().reconnects], [1, 0, 1]);
    } finally {
      await again.child.end();
    }
  }));

test("the newest frame wins under a reader that sleeps", () =>
  withPythonServer(async (server, motion) => {
    const samples = motion.samples(2, "joints_local");
    const first = (await server.send(1))[2]!;
    assertEquals(show((await samples.next()).value!), first);
    const sent = await server.send(50);
    await until(() => motion.stats().samples === 4 * 51);
    assertEquals(show((await samples.next()).value!), sent.at(-2)!);
    assertEquals(samples.dropped, 49);
    await samples.return();
  }));

test("the newest frame wins when the whole program was asleep", () =>
  withPythonServer(async (server, motion) => {
    server.tell("quiet 60");
    assertEquals(await server.child.nextLine(), '{"sent": 60}');
    server.tell("quiet 60");
    // Python sends meanwhile, and nothing is received.
    const end = performance.now() + 300;
    while (performance.now() < end);
    await until(() => motion.stats().samples === 480);
    assertEquals(motion.devices()[0]!.sample("joints_openxr")!.deviceTime, 1_440_000n);
  }));

test("definitions and disconnects of a Python server, also while data comes", () =>
  withPythonServer(async (server, motion) => {
    const errors: string[] = [];
    motion.on("error", ({ message }) => errors.push(message));
    await server.send(1);
    server.tell("define 1");
    await until(() => errors.length === 1);
    assert(errors[0]!.includes("--emit-openxr"), errors[0]!);
    server.tell("disconnect 2");
    await until(() => motion.devices().length === 1);
    await server.send(1);
    await until(() => motion.stats().samples + motion.stats().undefinedData === 6);
    assertEquals(motion.stats().undefinedData, 1, "there is no joints_openxr");
    assert(motion.hands()[0]!.measure() !== undefined);
  }));

test("bytes that are no RGMP end the connection, and the next one is good", () =>
  withPythonServer(async (server, motion) => {
    const causes: unknown[] = [];
    motion.on("status", (status) => "cause" in status && causes.push(status.cause));
    server.tell("raw 474554202f20485454502f312e310d0a0d0a");
    await until(() => motion.stats().reconnects === 1 && motion.devices().length === 2);
    assertInstanceOf(causes[0], ProtocolError);
    await server.send(2);
    await until(() => motion.stats().samples === 8);
  }));

/** Runs the Python client; it reads after `wake()`. */
async function withPythonClient(
  port: number,
  args: string[],
  use: (client: StartedChild) => Promise<void>,
): Promise<void> {
  const client = python("read", "--port", String(port), ...args);
  try {
    assertEquals(await client.nextLine(), "connected");
    await use(client);
  } finally {
    await client.end();
  }
}

async function linesOf(client: StartedChild): Promise<Shown[]> {
  const lines: Shown[] = [];
  for await (const line of client.lines) lines.push(JSON.parse(line));
  const { code, stderr } = await client.ended;
  assertEquals([code, stderr], [0, ""]);
  return lines;
}

test("the Python client reads the simulator's hands, bit for bit", async () => {
  const simulator = await startSimulator({ port: 0, motion: true, motionPort: 0, rawPort: 0 });
  const { port } = simulator.motion!.hands.addresses[0]!;
  await withPythonClient(port, ["--frames", "200"], async (client) => {
    const lines = await linesOf(client);
    const definitions = lines.filter(({ prefix }) => prefix === 1);
    const hands = (["left", "right"] as const).map((side, i) =>
      new SimulatedHand({ side, deviceId: i + 1 })
    );
    assertEquals(
      definitions.map(({ definition }) => definition!),
      hands.map(({ definition }) => definition),
    );
    const data = lines.filter(({ prefix }) => prefix === 2);
    assertEquals(data.length, 200);
    for (const { device, group, time, bits } of data) {
      // A hand moves by its seed and the time alone.
      const hand = hands[device - 1]!;
      hand.framesAt(Number(time) / 1000);
      assertEquals({ device, group, time, bits }, show(hand.frames[group]!));
    }
  });
  await simulator.close();
});

test("a Python client that sleeps gets definitions, then ever newer frames, then the newest", async () => {
  const server = new MotionServer();
  const { port } = await server.serve(listen);
  // deno-lint-ignore no-explicit-any -- JSON, but not typed as such
  const define = (id: number): number => server.define(definitionOf(id, "FLOAT[16384]") as any);
  define(1);
  await withPythonClient(port, ["--wait", "--brief"], async (client) => {
    await until(() => server.clients === 1);
    const values = new Uint8Array(4 * 16384);
    const send = (device: number, time: number): void => {
      server.send(motionFrame(2, dataPayload(device, 0, time, values)));
    };
    let time = 0;
    while (server.stats().skipped < 100) {
      send(1, ++time);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    define(2);
    send(2, ++time);
    send(1, ++time);
    const closing = server.close();
    client.write("\n");
    const lines = await linesOf(client);
    await closing;
    const times = lines.filter(({ prefix, device }) => prefix === 2 && device === 1);
    assertEquals(times.length + server.stats().skipped, time - 1);
    assertEquals(times.at(-1)!.time, String(time));
    assert(times.every(({ time }, i) => i === 0 || Number(time) > Number(times[i - 1]!.time)));
    const ofSecond = lines.findIndex(({ device }) => device === 2);
    assertEquals(lines[ofSecond - 1]!.definition!["device_id"], 2);
  });
});

test("the Python client sees every device come and go", async () => {
  const server = new MotionServer();
  const { port } = await server.serve(listen);
  await withPythonClient(port, [], async (client) => {
    await until(() => server.clients === 1);
    const texts = [1, 2].map((id) => JSON.stringify(definitionOf(id, "DOUBLE[3,3]", "INT64")));
    for (const text of texts) server.define(text);
    const values = Uint8Array.from({ length: 80 }, (_, i) => i);
    server.send(motionFrame(2, dataPayload(2, 0, 5n, values)));
    server.disconnect(2);
    void server.close();
    const lines = await linesOf(client);
    assertEquals(lines.map(({ prefix }) => prefix), [1, 1, 2, 3]);
    assertEquals(
      lines.slice(0, 2).map(({ definition }) => definition),
      texts.map((text) => JSON.parse(text)),
    );
    const bits = lines[2]!.bits.flat().map((digits) => digits.match(/../g)!.reverse().join(""));
    assertEquals(bits.join(""), toHex(values));
  });
});
