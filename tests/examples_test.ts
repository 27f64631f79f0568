import { spawn } from "node:child_process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CommandError, type PressType } from "../mod.ts";
import { RcspServer } from "../server.ts";
import { type Simulator, startSimulator } from "../simulator.ts";
import {
  assertSentence,
  command,
  example,
  freePort,
  signalled,
  withChild,
  withServer,
} from "./support/examples.ts";
import { CHILD_TIMEOUT, type StartedChild } from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { repeatUntil } from "./support/wait.ts";

const clients = ["list", "button_presses", "set_led", "call", "pipe", "hands"];
const unprintable = /[^\P{C}\n]|[\u2028\u2029]/u;
// Clears the screen, sets the clipboard by OSC 52, then BEL, C1, DEL, a bidi override, a line end.
const hostile = "\x1b[2J\x1b]52;c;aGk=\x07\r\x9b31m\x7f\u202e\u2066\u2028\nforged line";

const simulated: [name: string, args: string[], stdout: RegExp][] = [
  ["button_presses", [], /^((Single|Double|Long)Press on device 1\n){3}$/],
  ["button_presses", ["--device", "2", "--count", "1"], /^\w+Press on device 2\n$/],
  ["set_led", [], /^Set RingLed of device 1 to red\n$/],
  ["set_led", ["--color", "#ff8000"], /to #ff8000\n$/],
  ["set_led", ["--color=off", "--device=2"], /of device 2 to off\n$/],
  ["set_led", ["--color", "0,0,7"], /to 0,0,7\n$/],
  ["call", [], /^\{\n {2}"Devices": \[\n/],
  ["call", ["GetDeviceInfo", '{"DeviceId":2}'], /^\{\n {2}"DeviceId": 2,\n/],
  ["pipe", [], /^Command, 51 bytes: \{"Command".*\nResponseOk, \d+ bytes: .*Coil Pro.*\n$/],
  ["hands", ["--count", "3"], /^(\d+(\.\d+)? ((left|right)( -?\d+){5}|\w+Press)\n){6,}$/],
  ["simulate", [], /^RCSP simulator listening on 127\.0\.0\.1:\d+\n4 devices\n$/],
];

for (const [name, args, stdout] of simulated) {
  test(`${[`${name}.ts`, ...args].join(" ")} does its work against its own simulator`, async () => {
    const result = await example(name, "--simulate", ...args);
    assertMatch(result.stdout, stdout);
    assertEquals(result.code, 0);
  });
}

test("list.ts runs the steps of Rokoko's client", async () => {
  const { code, stdout, stderr } = await example("list", "--simulate");
  const steps = new RegExp(
    "^Connected to RCSP server at 127\\.0\\.0\\.1:\\d+\n\n" +
      "ListDevices response:\n(\\{\n[^]*?\n\\})\n\n" +
      "Querying GetDeviceInfo for DeviceId=1\\.\\.\\.\nGetDeviceInfo response:\n(\\{\n[^]*\n\\})\n$",
  );
  const [, list = "", info = ""] = steps.exec(stdout) ?? [];
  assertEquals(JSON.parse(list).Devices.length, 4);
  assertEquals(JSON.parse(info).DeviceId, 1);
  assertEquals([code, stderr], [0, ""]);
});

test("an example that cannot connect reports what it tried and suggests the simulator", async () => {
  const port = await freePort();
  for (const name of clients) {
    const result = await example(name, "--host=127.0.0.1", "--port", `${port}`);
    assertSentence(result);
    for (const part of [`127.0.0.1:${port}`, "Is the Rokoko SDK running?", "--simulate"]) {
      assertStringIncludes(result.stderr, part);
    }
    assertEquals(result.code, 1);
  }
});

test("an example waits no longer than its --timeout", async () => {
  const silent = new RcspServer({ closeTimeout: 1 });
  silent.handle("ListDevices", () => new Promise(() => {}));
  await withServer(silent, async (...flags) => {
    const result = await example("call", ...flags, "--timeout", "200");
    assertSentence(result);
    assertStringIncludes(result.stderr, "within 200 ms");
    assertEquals(result.code, 1);
  });
});

const misused: [sentence: string, name: string, ...args: string[]][] = [
  ["Unexpected argument '--prot'", "list", "--prot", "1"],
  ["Unexpected argument '--_'", "list", "--_"],
  ["Unexpected argument '--constructor'", "list", "--constructor"],
  ["Unexpected argument '--__proto__=1'", "list", "--__proto__=1"],
  ["Unexpected argument '-x'", "list", "-x"],
  ["Unexpected argument '--port='", "list", "--port="],
  ["Unexpected argument 'extra'", "list", "extra"],
  ["Unexpected argument '--extra'", "call", "X", "{}", "--", "--extra"],
  ["'port' must be", "list", "--port", "abc"],
  ["'port' must be", "pipe", "--port=65536"],
  ["current value is -1", "simulate", "--port=-1"],
  ["'connectTimeout' must be", "list", "--timeout", "0"],
  ["'connectTimeout' must be", "list", "--timeout"],
  ["'pressEvery' must be", "simulate", "--press", "0"],
  ["'--count' must be", "button_presses", "--count", "0"],
  ["Invalid color 'ff80': expected", "set_led", "--simulate", "--color", "ff80"],
  ["'{' is not a JSON object", "call", "X", "{"],
  ["'[]' is not a JSON object", "call", "X", "[]"],
  ["Unexpected argument '--\\u001b'", "call", "--\x1b"],
];

test("an invalid command line ends with a sentence and exit code 2", async () => {
  for (const [sentence, name, ...args] of misused) {
    const result = await example(name, ...args);
    assertStringIncludes(result.stderr, sentence);
    assertSentence(result);
    assertEquals(result.code, 2, `${name} ${args.join(" ")}`);
  }
});

test("an example shows its flags for any form of -h", async () => {
  for (const flag of ["-h", "-h=1", "-h=0", "-h5"]) {
    const { code, stdout } = await example("list", "--simulate", flag);
    assertMatch(stdout, /^Usage: list\.ts/, flag);
    assertEquals(code, 0);
  }
});

test("every example shows its flags with --help", async () => {
  for (const name of [...clients, "simulate"]) {
    const { code, stdout } = await example(name, "--help");
    assertMatch(
      stdout,
      new RegExp(`^Usage: ${name}\\.ts[^]*--host[^]*--port[^]*--timeout[^]*--sim`),
    );
    assertEquals(code, 0);
  }
});

test("foreign control characters never reach the terminal", async () => {
  const server = new RcspServer({ maxClients: 8 });
  server.handle("ListDevices", () => ({ Devices: [{ DeviceId: hostile, Name: hostile }] }));
  server.handle("GetDeviceInfo", () => ({ [hostile]: hostile }));
  server.handle("SetColorLed", () => {
    throw new CommandError({ Code: hostile, Message: hostile });
  });
  server.handle("DeviceSubscribe", () => {
    throw new CommandError({ Code: 1, Message: hostile });
  });
  const ends: [name: string, code: number][] = [
    ["list", 0],
    ["call", 0],
    ["pipe", 0],
    ["set_led", 1],
    ["button_presses", 1],
  ];
  await withServer(server, async (...flags) => {
    for (const [name, code] of ends) {
      const result = await example(name, ...flags);
      assertEquals(result.code, code, result.stderr);
      assertStringIncludes(result.stdout + result.stderr, "\\u001b[2J");
      for (const text of [result.stdout, result.stderr]) {
        assertEquals(unprintable.exec(text), null, name);
        assert(!/^forged/m.test(text), name);
      }
    }
  });
});

test("a device that is not listed is a failure", async () => {
  for (const name of ["set_led", "button_presses"]) {
    const result = await example(name, "--simulate", "--device", "null");
    assertEquals([result.code, result.stderr], [1, "No device 'null'\n"]);
  }
});

test("no devices is a message, and a failure only where a device is needed", async () => {
  const server = new RcspServer().handle("ListDevices", () => ({ Devices: null }));
  await withServer(server, async (...flags) => {
    const list = await example("list", ...flags);
    assertMatch(list.stdout, /^ListDevices response:\n\{\n {2}"Devices": null\n\}\n\nNo devices/m);
    assertEquals([list.code, list.stderr], [0, ""]);
    for (const name of ["set_led", "button_presses"]) {
      const result = await example(name, ...flags);
      assertEquals([result.code, result.stderr], [1, "No devices connected\n"]);
    }
  });
});

test("hands.ts prints hands and presses in the order of one clock", async () => {
  const { stdout } = await example("hands", "--simulate", "--count", "8");
  const rows = stdout.split("\n").slice(0, -1).map((line) => line.split(" "));
  const times = rows.map(([time]) => Number(time));
  assertEquals(times, times.toSorted((one, other) => one - other));
  assert(times.every((time) => Math.abs(time - Date.now()) < CHILD_TIMEOUT));
  assert(rows.some(([, what]) => what?.endsWith("Press")), stdout);
});

test("simulate.ts prints its address, serves, and exits cleanly on SIGTERM", async () => {
  await withChild(command("simulate", "--port", "0", "--press", "20"), async (child) => {
    const first = await child.nextLine();
    const [, port = ""] = /^RCSP simulator listening on 127\.0\.0\.1:(\d+)$/.exec(first) ?? [];
    const { code, stdout } = await example("button_presses", "--port", port, "--count", "2");
    assertMatch(stdout, /^(\w+Press on device 1\n){2}$/);
    assertEquals(code, 0);
    const end = await signalled(child, "SIGTERM");
    assertEquals([end.code, end.stderr], [0, ""]);
  });
});

test("simulate.ts reports that its port is in use", async () => {
  await using simulator = await startSimulator({ port: 0 });
  const result = await example("simulate", "--port", `${simulator.address.port}`);
  assertSentence(result);
  assertStringIncludes(result.stderr, "port already in use");
  assertEquals(result.code, 1);
});

/** Presses until the child reports one: before it has subscribed, presses are dropped. */
async function pressUntilReported(
  simulator: Simulator,
  child: StartedChild,
  type: PressType,
): Promise<void> {
  const reported = async (): Promise<void> => {
    while (await child.nextLine() !== `${type} on device 1`);
  };
  await repeatUntil(reported(), () => simulator.press(1, type));
}

test("button_presses.ts unsubscribes on Ctrl-C", async () => {
  await using simulator = await startSimulator({ port: 0 });
  const unsubscribed: unknown[] = [];
  simulator.server.handle(
    "DeviceUnsubscribe",
    ({ Arguments }) => void unsubscribed.push(Arguments),
  );
  await withChild(command("button_presses", `--port=${simulator.address.port}`), async (child) => {
    await pressUntilReported(simulator, child, "DoublePress");
    assertEquals((await signalled(child, "SIGINT")).code, 0);
  });
  assertEquals(unsubscribed, [{ DeviceId: 1, Publisher: "DeviceEvents", Topic: "ButtonPushed" }]);
});

test("button_presses.ts continues when a lost server has come back", async () => {
  await using first = await startSimulator({ port: 0 });
  const { port } = first.address;
  await withChild(command("button_presses", `--port=${port}`), async (child) => {
    await pressUntilReported(first, child, "SinglePress");
    await first.close();
    await using second = await startSimulator({ port });
    await pressUntilReported(second, child, "LongPress");
    const { code, stderr } = await signalled(child, "SIGINT");
    assertMatch(stderr, /\n(Connection: reconnecting\n)+Connection: ready\n$/);
    assertEquals(code, 0);
  });
});

test("an example reports a connection that ends while it runs", async () => {
  const server = new RcspServer();
  server.handle("ListDevices", (_, { client }) => client.close());
  await withServer(server, async (...flags) => {
    const result = await example("call", ...flags);
    assertSentence(result);
    assertMatch(result.stderr, /^Command 'ListDevices' was sent but not answered: /);
    assertEquals(result.code, 1);
  });
});

test("an output that is closed early ends an example quietly", async () => {
  const [program = "", ...args] = command("button_presses", "--simulate", "--count", "100000");
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const talk: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => talk.push(text));
  child.stdout.once("data", () => child.stdout.destroy());
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_TIMEOUT);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  assertEquals([code, talk.join("")], [0, "Waiting for presses of device 1: Ctrl-C ends\n"]);
});
