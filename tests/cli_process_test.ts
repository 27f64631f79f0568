import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { readFileChunks } from "../cli/process/process_io.ts";
import { listen } from "../server.ts";
import { startSimulator } from "../simulator.ts";
import { VERSION } from "../src/version.ts";
import {
  CHILD_TIMEOUT,
  evalCommand,
  run,
  runtime,
  runtimeCommand,
  start,
} from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { repeatUntil } from "./support/wait.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

function command(...args: string[]): string[] {
  return runtimeCommand(program, ...args);
}

test("the program lists the devices of a driver, by flags and by environment", async () => {
  await using simulator = await startSimulator({ port: 0 });
  const port = `${simulator.address.port}`;
  const byFlag = await run(command("list", "--host=127.0.0.1", "--port", port));
  assertEquals([byFlag.code, byFlag.stderr], [0, ""]);
  assertEquals(byFlag.stdout.trim().split("\n").map((line) => JSON.parse(line).DeviceId), [
    1,
    2,
    3,
    4,
  ]);
  const env = { RCSP_HOST: "127.0.0.1", RCSP_PORT: port };
  assertEquals(await run(command("list"), { env }), byFlag);
});

test("the program reports its version, and a usage error by its exit code", async () => {
  assertEquals((await run(command("--version"))).stdout, `rcsp ${VERSION}\n`);
  const { code, stdout, stderr } = await run(command("lst"));
  assertEquals([code, stdout], [2, ""]);
  assertEquals(stderr, "rcsp: Unknown command 'lst'. Did you mean 'list'?\n");
});

test("the program reports that nobody listens", async () => {
  const listener = await listen({}, (socket) => socket.close());
  await listener.close();
  const flags = ["--host", "127.0.0.1", "--port", `${listener.address.port}`];
  const { code, stderr } = await run(command("watch", ...flags));
  assertEquals(code, 3);
  assertMatch(
    stderr,
    /^rcsp: Cannot connect to 127\.0\.0\.1:\d+: connection refused\. Is the Rokoko SDK running\? .*\n$/,
  );
});

test("the program names which file it cannot read or create", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rcsp-"));
  const there = join(directory, "there");
  await writeFile(there, "");
  const cases: [sentence: RegExp, ...args: string[]][] = [
    [/^rcsp: Cannot read '.*': no such file or directory\n$/, "call", "X", `@${directory}/no`],
    [/^rcsp: Cannot read '.*': it is a folder\n$/, "call", "X", `@${directory}`],
    [/^rcsp: Cannot create '.*': it exists\. Replace it with --force\.\n$/, "record", there],
    [/^rcsp: Cannot create '.*': its folder does not exist\n$/, "record", `${directory}/no/x`],
  ];
  for (const [sentence, ...args] of cases) {
    const { code, stderr } = await run(command(...args, "--simulate"));
    assertMatch(stderr, sentence);
    assertEquals(code, 2);
  }
  await rm(directory, { recursive: true });
});

test("the program reads standard input and files", async () => {
  const stdin = '{"DeviceId":2}';
  const piped = await run(command("call", "GetDeviceInfo", "-", "--simulate"), { stdin });
  assertEquals([piped.code, JSON.parse(piped.stdout).DeviceId], [0, 2]);
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  try {
    const file = join(folder, "args.json");
    await writeFile(file, stdin);
    assertEquals(await run(command("call", "GetDeviceInfo", `@${file}`, "--simulate")), piped);
    const missing = await run(command("call", "X", `@${file}.not`, "--simulate"));
    assertEquals([missing.code, missing.stdout], [2, ""]);
    assertMatch(missing.stderr, /^rcsp: Cannot read .*: .*\n$/);
    const directory = await run(command("call", "X", `@${folder}`, "--simulate"));
    assertEquals([directory.code, directory.stdout], [2, ""]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the program does not read an endless input without end", async () => {
  const [name = "", ...args] = command("call", "X", "-", "--simulate");
  const child = spawn(name, args, { stdio: ["pipe", "ignore", "pipe"] });
  const talk: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => talk.push(text));
  child.stdin.on("error", () => {});
  const chunk = "x".repeat(1024 * 1024);
  const feed = (): void => {
    if (child.stdin.writable) child.stdin.write(chunk, (error) => error || feed());
  };
  feed();
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_TIMEOUT);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  assertEquals(code, 2);
  assertStringIncludes(talk.join(""), "longer than 16 MiB");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`watch unsubscribes at ${signal} and ends with 0`, async () => {
    await using simulator = await startSimulator({ port: 0 });
    const left: unknown[] = [];
    simulator.server.handle("DeviceUnsubscribe", ({ Arguments }) => {
      left.push(Arguments["DeviceId"]);
    });
    const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
    const child = start(command("watch", ...flags, "-d", "1"));
    try {
      // It may take a while to subscribe: a press that reaches nobody is pressed again.
      const press = (): unknown => simulator.press(1, "DoublePress");
      const line = await repeatUntil(child.nextLine(), press);
      assertEquals(JSON.parse(line).press, "DoublePress");
      process.kill(child.pid, signal);
      const { code, stderr } = await child.ended;
      assertEquals(code, 0);
      assertMatch(stderr, /^Watching .* of device 1 .*: Ctrl-C ends\n\d+ events? shown\n$/);
      assertEquals(left, [1]);
    } finally {
      await child.end("SIGKILL");
    }
  });
}

test("watch --exec starts a program without a shell, whatever the event contains", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  await using simulator = await startSimulator({
    port: 0,
    devices: [{ DeviceId: 1, Name: "$(exit 3); \0 'x' \"", hasButton: true }],
    pressEvery: 5,
  });
  try {
    const script = join(folder, "show.mjs");
    await writeFile(script, "console.log(JSON.stringify(process.env))");
    const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
    const words = runtimeCommand(script).join(" ");
    const result = await run(command("watch", ...flags, "-n", "1", "--exec", words));
    const { RCSP_DEVICE_ID, RCSP_DEVICE_NAME, RCSP_EVENT, PATH } = JSON.parse(result.stdout);
    assertEquals([result.code, RCSP_DEVICE_ID, PATH !== undefined], [0, "1", true]);
    assertEquals(RCSP_DEVICE_NAME, "$(exit 3); \\u0000 'x' \"");
    assertEquals(JSON.parse(RCSP_EVENT).DeviceId, 1);
    const missing = await run(command("watch", ...flags, "-n", "1", "--exec", script + ".not"));
    assertEquals([missing.code, missing.stderr.includes("no such program")], [2, true]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a second Ctrl-C ends at once, with 130", async () => {
  await using simulator = await startSimulator({ port: 0, closeTimeout: 1 });
  const unsubscribed = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  simulator.server.handle("DeviceUnsubscribe", () => {
    unsubscribed.resolve();
    return never.promise;
  });
  const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
  const child = start(command("watch", ...flags, "-d", "1"));
  try {
    await repeatUntil(child.nextLine(), () => simulator.press(1, "DoublePress"));
    process.kill(child.pid, "SIGINT");
    await unsubscribed.promise;
    process.kill(child.pid, "SIGINT");
    assertEquals((await child.ended).code, 130);
  } finally {
    never.resolve();
    await child.end("SIGKILL");
  }
});

test("an output that is closed early is a quiet end", async () => {
  await using simulator = await startSimulator({ port: 0, pressEvery: 5 });
  const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
  const [name = "", ...args] = command("watch", ...flags);
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  const talk: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => talk.push(text));
  child.stdout.once("data", () => child.stdout.destroy());
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_TIMEOUT);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  const talked = "Watching DeviceEvents/ButtonPushed of 4 devices: Ctrl-C ends\n";
  assertEquals([code, talk.join("")], [0, talked]);
});

test("a large answer gets through a pipe in full", async () => {
  await using simulator = await startSimulator({ port: 0 });
  const Text = "x".repeat(2_000_000);
  simulator.server.handle("Large", () => ({ Text }));
  const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
  const { code, stdout } = await run(command("call", "Large", ...flags));
  assertEquals([code, JSON.parse(stdout).Text.length], [0, Text.length]);
});

test("the network is all that Deno must allow, and without a driver not even that", async () => {
  if (runtime !== "deno") return;
  await using simulator = await startSimulator({ port: 0 });
  const flags = ["--host=127.0.0.1", "--port", `${simulator.address.port}`];
  // `node:child_process` would add permissions.
  const deno = async (...args: string[]): Promise<[code: number, stderr: string]> => {
    const env = { RCSP_TIMEOUT: "this may not be read" };
    const options = { args: ["run", "--no-prompt", ...args], env };
    const { code, stderr } = await new Deno.Command(Deno.execPath(), options).output();
    return [code, new TextDecoder().decode(stderr)];
  };
  assertEquals(await deno("-N", program, "list", ...flags), [0, ""]);
  assertEquals(await deno(program, "list", "--simulate"), [0, ""]);
  const [code, stderr] = await deno(program, "list", ...flags);
  assertEquals(code, 3);
  assertStringIncludes(stderr, "--allow-net");
  assertEquals((await deno("-N", "-E", program, "list", ...flags))[0], 2);
});

test("importing the module runs nothing", async () => {
  const text = `const { main } = await import(${
    JSON.stringify(new URL("../cli/mod.ts", import.meta.url).href)
  }); console.log(typeof main);`;
  const { code, stdout } = await run(evalCommand(text));
  assertEquals([code, stdout], [0, "function\n"]);
});

test("a file that cannot be read fails where it is read, also long after it was asked for", async () => {
  const path = join(tmpdir(), "rcsp-no-such-folder", "take.mcap");
  const chunks = readFileChunks(path)[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) await assertRejects(() => stat(path), Error, "ENOENT");
  await assertRejects(() => chunks.next(), Error, "ENOENT");
});
