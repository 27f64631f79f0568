import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect, ConnectionError } from "../mod.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { connector as netConnector, listen as netListen } from "../adapters/runtime.ts";
import { main } from "../cli/main.ts";
import { parseFaults, parseLatency, parseMotionFaults } from "../cli/simulate/faults_flag.ts";
import { ProtocolError } from "../src/errors.ts";
import { hasIpv6 } from "./support/adapters.ts";
import { assertFails, rcsp, type TestIo, testIo, type TestIoOptions } from "./support/cli_io.ts";
import { run, runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

/** Runs `rcsp serve` in a network of its own while `use` runs, then interrupts it; gives the code. */
async function withServe(
  args: readonly string[],
  use: (
    io: TestIo,
    options: { port: number; host: string; connector: TestIo["connector"] },
  ) => Promise<void>,
  options: TestIoOptions = {},
): Promise<number> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, connector, ...options });
  const ending = main(["serve", "--port", "0", ...args], io);
  await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
  assertMatch(io.out, /^RCSP simulator listening on 127\.0\.0\.1:\d+\n$/, io.err);
  const port = Number(/\d+\n$/.exec(io.out)![0]);
  try {
    await use(io, { port, host: "localhost", connector });
  } finally {
    io.interrupt();
  }
  return await ending;
}

test("serve simulates a driver until Ctrl-C", async () => {
  let err = (): string => "";
  const code = await withServe([], async (io, address) => {
    err = () => io.err;
    const client = await connect({ ...address, reconnect: false });
    assertEquals((await client.listDevices()).length, 4);
    await client.close();
    await io.until(({ err }) => err.includes("Client 1 disconnected"));
  });
  assertEquals(code, 0);
  assertMatch(err(), /\n1 client served\n$/);
});

test("serve leaves nobody listening behind, also where a client stays", async () => {
  let address = {};
  const code = await withServe([], async (_io, there) => {
    address = there;
    await (await connect({ ...there, reconnect: false })).listDevices();
  });
  assertEquals(code, 0);
  const refused = await connect(address).catch((error) => error);
  assertEquals(refused.code, "connection-refused");
});

test("serve presses the button by the keys 1, 2, 3, passes others over, and ends with q", async () => {
  const typing = Promise.withResolvers<void>();
  async function* keys(): AsyncGenerator<string> {
    await typing.promise;
    yield* ["?", "1", "x", "4", "\x1b", "2", "3", "q", "1"];
  }
  let presses: AsyncIterator<{ type: string; deviceId: unknown }> | undefined;
  const code = await withServe([], async (io, address) => {
    const client = await connect({ ...address, reconnect: false });
    const subscription = client.buttonPresses(1);
    await subscription.ready;
    presses = subscription[Symbol.asyncIterator]();
    typing.resolve();
    for (const type of ["SinglePress", "DoublePress", "LongPress"]) {
      const { value } = await presses.next();
      assertEquals([value.type, value.deviceId], [type, 1]);
    }
    await io.until(({ err }) =>
      err.includes("LongPress of 1 (Smartglove Left): sent to client 1\n")
    );
    assertStringIncludes(io.err, "Keys: 1, 2, 3 press the button of 1 (Smartglove Left)");
    await client.close();
  }, { keys });
  // Ended by q, or by the interrupt right after it.
  assertEquals(code, 0);
});

const COMMANDS = [
  "Client 1: ListDevices",
  "Client 1: SetColorLed DeviceId=1 LedId=RingLed Red=255 Green=128 Blue=0 #ff8000",
  'Client 1: A\\u001b[2J x={"y":1}',
];

for (
  const variables of [{}, { COLORTERM: "truecolor" }, { COLORTERM: "truecolor", NO_COLOR: "1" }]
) {
  test(`serve shows commands and colors: ${JSON.stringify(variables)}`, async () => {
    await withServe([], async (io, address) => {
      const client = await connect({ ...address, reconnect: false });
      await client.listDevices();
      await client.setColorLed(1, "#ff8000");
      await client.call("A\x1b[2J", { x: { y: 1 } }).catch(() => {});
      await client.close();
      await io.until(({ err }) => err.includes("disconnected"));
      const block = JSON.stringify(variables) === '{"COLORTERM":"truecolor"}'
        ? " \x1b[48;2;255;128;0m    \x1b[0m"
        : "";
      const [list, color, other] = COMMANDS;
      const shown = io.err.split("\n").filter((line) => line.startsWith("Client 1: "));
      assertEquals(shown, [list, `${color}${block}`, other]);
    }, { terminal: true, variables });
  });
}

test("serve shows presses by interval and who got them, and nothing of it with --quiet", async () => {
  for (const flags of [[], ["--quiet"]]) {
    await withServe(["--press", "5ms", ...flags], async (io, address) => {
      if (flags.length === 0) {
        await io.until(({ err }) => err.includes(": no client has subscribed"));
      }
      const clients = await Promise.all(
        [1, 2].map(() => connect({ ...address, reconnect: false })),
      );
      const presses = clients.map((client) => client.presses());
      await Promise.all(presses.map(({ ready }) => ready));
      await Promise.all(presses.map((each) => each.next()));
      if (flags.length === 0) await io.until(({ err }) => err.includes(": sent to clients 1, 2\n"));
      for (const client of clients) await client.close();
      assertEquals(/Press of|ListDevices/.test(io.err), flags.length === 0, io.err);
    });
  }
});

test("serve ends with 0 at q", async () => {
  const { listen } = memoryNetwork();
  const io = testIo({
    listen,
    async *keys() {
      yield "q";
    },
  });
  assertEquals(await main(["serve"], io), 0);
  assertEquals(io.out, "RCSP simulator listening on 127.0.0.1:45451\n");
});

test("serve accepts devices, latency, faults and a dialect", async () => {
  const files = {
    "devices.json": JSON.stringify([
      { DeviceId: "left\x1b[2J", Name: "Glove", hasButton: true, info: { __proto: 1 } },
    ]),
    "dialect.json": '{"trackId":"Mark"}',
  };
  const args = ["--devices", "devices.json", "--latency", "1ms-2ms", "--faults", "slice=1"];
  const dialect = ["--dialect", "dialect.json"];
  await withServe([...args, ...dialect], async (io, address) => {
    const client = await connect({ ...address, reconnect: false, dialect: { trackId: "Mark" } });
    const [device] = await client.listDevices();
    assertEquals(device, { DeviceId: "left\x1b[2J", Name: "Glove", Type: "" });
    await client.close();
    assertStringIncludes(io.err, 'Device "left\\u001b[2J" (Glove)');
  }, { files });
  await withServe(["--faults", "garbage=0"], async (io, address) => {
    const client = await connect({ ...address, reconnect: false });
    const error = await client.listDevices().catch((error) => error);
    assert(error instanceof ProtocolError, String(error));
    await io.until(({ err }) => err.includes("disconnected"));
  });
});

test("serve --motion reports where its hands are, and rcsp hands sees them", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, connector });
  const args = ["--motion", "--motion-port", "1234", "--motion-faults", "gaps=0.5"];
  const ending = main(["serve", ...args], io);
  await io.until(({ lines }) => lines.length === 3);
  assertEquals(io.lines, [
    "RCSP simulator listening on 127.0.0.1:45451",
    "Solved hands listening on 127.0.0.1:1234",
    "Raw motion stream listening on 127.0.0.1:12276",
  ]);
  const hands = testIo({ connector });
  const watching = main(["hands", "--motion-port", "1234"], hands);
  await hands.until(({ lines }) => lines.some((line) => JSON.parse(line).gaps > 0));
  hands.interrupt();
  assertEquals([await watching, (await rcsp(["streams", "--raw"], { connector })).code], [0, 0]);
  io.interrupt();
  assertEquals(await ending, 0);
});

test("serve --press presses by itself", async () => {
  await withServe(["--press", "5ms"], async (_io, address) => {
    const client = await connect({ ...address, reconnect: false });
    const presses = [client.buttonPresses(1), client.buttonPresses(2)];
    assertEquals((await Promise.race(presses.map((each) => each.next()))).done, false);
    await client.close();
  });
});

test("faults and latencies are read as they are written", () => {
  assertEquals(parseFaults("cut=1000,slice=1,pause=5ms,garbage=7,silent=0"), {
    cutAfter: 1000,
    slice: 1,
    pause: 5,
    garbageAfter: 7,
    silentAfter: 0,
  });
  assertEquals(
    parseMotionFaults("gaps=0.1,jitter=20ms,stall,duplicate=1,backward=.5,no-openxr,slice=1"),
    {
      gaps: 0.1,
      jitter: 20,
      stall: true,
      duplicateTimes: 1,
      backwardTimes: 0.5,
      noOpenXr: true,
      slice: 1,
    },
  );
  assertEquals(parseMotionFaults("none"), {});
  assertEquals(parseLatency("20ms"), [20, 20]);
  assertEquals(parseLatency("1s-1.5s"), [1_000, 1_500]);
});

const wrong: [sentence: string, args: string[], file?: string][] = [
  ["Unknown fault 'cutt'. Did you mean 'cut'?", ["--faults", "cutt=1"]],
  ["Unknown fault 'toString'. The faults are cut, ", ["--faults", "toString=1"]],
  ["The fault 'cut' needs a number of bytes, such as cut=1000", ["--faults", "cut"]],
  ["The fault 'slice' needs a number of bytes, such as slice=1", ["--faults", "slice=0"]],
  ["The fault 'pause' needs a time, such as pause=5ms", ["--faults", "pause=soon"]],
  ["The fault 'cut' needs", ["--faults", "cut=1=2"]],
  ["Unknown fault 'gips'. Did you mean 'gaps'?", ["--motion", "--motion-faults", "gips=1"]],
  ["The fault 'gaps' needs a share from 0 to 1", ["--motion", "--motion-faults", "gaps=2"]],
  ["The fault 'stall' needs no value", ["--motion", "--motion-faults", "stall=1"]],
  ["'--motion-faults' needs '--motion'", ["--motion-faults", "stall"]],
  ["'--latency' must be a time", ["--latency", "5ms-1ms"]],
  ["'--latency' must be a time", ["--latency", "1ms-2ms-3ms"]],
  ["Invalid '--port' '65536': expected an integer from 0 to 65535", ["--port", "65536"]],
  ["Invalid '--press' '0': expected a longer time", ["--press", "0"]],
  ["Cannot read 'none.json': no such file", ["--devices", "none.json"]],
  ["Cannot use 'd': 'devices' must be an array of devices", ["--devices", "d"], "{}"],
  ["Cannot use device 2 of 'devices': it is null", ["--devices", "d"], '[{"DeviceId":1},null]'],
  ["Cannot use device 1 of 'devices': it has no 'DeviceId'", ["--devices", "d"], '[{"Name":"x"}]'],
  ["'DeviceId' must be any JSON value except null", ["--devices", "d"], '[{"DeviceId":null}]'],
  [
    "unknown key 'Nam': its keys are DeviceId, Name",
    ["--devices", "d"],
    '[{"DeviceId":1,"Nam":"x"}]',
  ],
  ["unknown key '__proto__': its keys are", ["--devices", "d"], '[{"__proto__":{"DeviceId":1}}]'],
  ["'leds' must be an array of strings", ["--devices", "d"], '[{"DeviceId":1,"leds":[1]}]'],
  ["'DeviceId' 1 is in use", ["--devices", "d"], '[{"DeviceId":1},{"DeviceId":1}]'],
  ["Cannot read 'd' as JSON", ["--devices", "d"], "[{"],
];

test("serve refuses what it cannot use before it listens", async () => {
  for (const [sentence, args, content = ""] of wrong) {
    const { listen } = memoryNetwork();
    const result = await rcsp(["serve", ...args], { listen, files: { d: content } });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("serve on an address of another machine ends with 3, and without advice for clients", async () => {
  for (const host of ["192.0.2.1", "nowhere.invalid"]) {
    const result = await rcsp(["serve", "--host", host], { listen: netListen });
    assertFails(result, 3);
    const expected = `rcsp: Cannot listen on ${host}:45451: this machine has no such address\n`;
    assertEquals(result.err, expected);
  }
});

test("serve on a port that needs more rights says which ports do not", async () => {
  const cause = Object.assign(new Error("listen EACCES"), { code: "EACCES" });
  const denied = new ConnectionError("permission-denied", "Cannot listen: EACCES", { cause });
  const result = await rcsp(["serve", "--port", "80"], { listen: () => Promise.reject(denied) });
  assertFails(result, 3);
  const reason = "permission denied. Choose a port above 1023.";
  assertEquals(result.err, `rcsp: Cannot listen on 127.0.0.1:80: ${reason}\n`);
});

test("serve on a port that is taken ends with 3", async () => {
  const { listen } = memoryNetwork();
  const listener = await listen({ port: 45451 }, (socket) => socket.close());
  assertFails(await rcsp(["serve"], { listen }), 3);
  listener.close();
});

test("serve, list and doctor take an IPv6 address with and without brackets", async () => {
  if (!hasIpv6) return;
  for (const host of ["::1", "[::1]"]) {
    const io = testIo({ listen: netListen, connector: netConnector });
    const ending = main(["serve", "--port", "0", "--host", host], io);
    await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
    assertMatch(io.out, /^RCSP simulator listening on \[::1\]:\d+\n$/, io.err);
    const port = /\d+\n$/.exec(io.out)![0].trim();
    for (const there of ["::1", "[::1]"]) {
      const flags = ["--host", there, "--port", port];
      const list = await rcsp(["list", ...flags], { connector: netConnector });
      assertEquals([list.code, list.out.trim().split("\n").length], [0, 4], list.err);
      const doctor = await rcsp(["doctor", ...flags], { connector: netConnector });
      assertStringIncludes(doctor.out, `to [::1]:${port} in `);
    }
    io.interrupt();
    await ending;
    const refused = await rcsp(["list", "--host", host, "--port", port], {
      connector: netConnector,
    });
    assertFails(refused, 3);
    assertStringIncludes(refused.err, `Cannot connect to [::1]:${port}: connection refused`);
  }
});

test("the program itself serves, and ends at SIGINT and SIGTERM", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const child = start(runtimeCommand(program, "serve", "--port", "0", "--seed", "7"));
    const line = await child.nextLine();
    assertMatch(line, /^RCSP simulator listening on 127\.0\.0\.1:\d+$/);
    const port = line.split(":").at(-1)!;
    const { code, stdout, stderr } = await run(runtimeCommand(program, "list", "--port", port));
    assertEquals([code, stdout.trim().split("\n").length, stderr], [0, 4, ""]);
    process.kill(child.pid, signal);
    const ended = await child.ended;
    assertEquals(ended.code, 0, ended.stderr);
  }
});
