import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { CommandError, connect, type RcspClient } from "../mod.ts";
import { main } from "../cli/main.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { assertFails, rcsp, type TestIo, testIo } from "./support/cli_io.ts";
import { test } from "./support/test.ts";

interface Shared {
  readonly io: TestIo;
  readonly simulator: Simulator;
  /** Another program that uses the driver. */
  program(): Promise<RcspClient>;
  /** Stops the driver. */
  stop(): Promise<void>;
  /** Starts one like it at the same place. */
  start(): Promise<Simulator>;
}

/** Runs `rcsp share` before a simulated driver, then interrupts it; gives the exit code. */
async function withShare(
  args: readonly string[],
  use: (shared: Shared) => Promise<void>,
): Promise<number> {
  const { connector, listen } = memoryNetwork();
  const programs: RcspClient[] = [];
  const start = async (): Promise<Simulator> => {
    const started = new Simulator({});
    await started.serve(listen, { port: 45451 });
    return simulator = started;
  };
  let simulator!: Simulator;
  await start();
  const io = testIo({ connector, listen });
  const ending = main(["share", "--listen", "0", ...args], io);
  await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
  assertMatch(io.out, /^RCSP share listening on 127\.0\.0\.1:\d+\n$/, io.err);
  const port = Number(/\d+\n$/.exec(io.out)![0]);
  try {
    await use({
      io,
      get simulator() {
        return simulator;
      },
      program: async () => {
        const program = await connect({ host: "127.0.0.1", port, connector, reconnect: false });
        programs.push(program);
        return program;
      },
      stop: () => simulator.close(),
      start,
    });
  } finally {
    io.interrupt();
    await Promise.all(programs.map((program) => program.closed));
    await simulator.close();
  }
  return await ending;
}

async function refusal(call: Promise<unknown>): Promise<unknown> {
  const error = await assertRejects(() => call, CommandError);
  return (error as CommandError).errorCode;
}

test("share lets several programs use one connection to the driver", async () => {
  let err = "";
  const code = await withShare([], async ({ io, simulator, program }) => {
    const [one, two] = [await program(), await program()];
    assertEquals((await one.listDevices()).length, 4);
    assertEquals((await two.getDeviceInfo(1))["Name"], "Smartglove Left");
    const presses = [one, two].map((each) => each.buttonPresses(1));
    await Promise.all(presses.map(({ ready }) => ready));
    assertStrictEquals(simulator.press(1, "LongPress"), 1);
    for (const each of presses) {
      assertStrictEquals((await each.next()).value?.type, "LongPress");
    }
    assertStrictEquals(await refusal(one.setColorLed(1, "red")), "NotAllowed");
    assertStrictEquals(await refusal(two.setColorLed(1, "red")), "NotAllowed");
    assertStrictEquals(await refusal(two.getDeviceInfo(99)), "UnknownDevice");
    await one.close();
    await io.until(({ err }) => err.includes("Client 1 disconnected"));
    err = io.err;
    io.interrupt();
    await two.closed;
    await io.until(({ err }) => err.includes(" served"));
    err = io.err;
  });
  assertStrictEquals(code, 0);
  assertMatch(err, /^Client 1 connected from memory\nClient 2 connected from memory\n/);
  assertStrictEquals(err.split("Refused 'SetColorLed': allow it with --allow").length, 2);
  assertMatch(
    err,
    /2 clients served, \d commands sent to the driver, 2 refused, 1 event received\n$/,
  );
});

test("share --allow passes a command on, --allow-all every one", async () => {
  for (const flags of [["--allow", "SetColorLed", "--allow", "Other"], ["--allow-all"]]) {
    await withShare(flags, async ({ simulator, program }) => {
      const one = await program();
      await one.setColorLed(1, "red");
      assertEquals(simulator.devices[0]!.DeviceId, 1);
      assertStrictEquals(await refusal(one.call("Other")), "UnknownCommand");
      const third = flags.length === 1 ? "UnknownCommand" : "NotAllowed";
      assertStrictEquals(await refusal(one.call("Third")), third);
    });
  }
});

test("share reports when the driver is lost and when it is back; programs stay connected", async () => {
  await withShare([], async ({ io, program, stop, start }) => {
    const one = await program();
    const presses = one.buttonPresses(1);
    await presses.ready;
    await stop();
    await io.until(({ err }) => err.includes("Driver lost: "));
    assertStrictEquals(await refusal(one.listDevices()), "Unavailable");
    const simulator = await start();
    await io.until(({ err }) => err.includes("Driver back after "));
    assertStrictEquals(simulator.press(1, "SinglePress"), 1);
    assertStrictEquals((await presses.next()).value?.type, "SinglePress");
    assertEquals((await one.listDevices()).length, 4);
    assert(!io.err.includes("disconnected"), io.err);
  });
});

test("share --simulate needs no driver", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["share", "--simulate", "--listen", "0"], io);
  await io.until(({ lines }) => lines.length > 0);
  const port = Number(/\d+\n$/.exec(io.out)![0]);
  const program = await connect({ host: "127.0.0.1", port, connector, reconnect: false });
  assertEquals((await program.listDevices()).length, 4);
  io.interrupt();
  await program.closed;
  assertStrictEquals(await ending, 0);
});

test("share --wait waits for the driver, and Ctrl-C ends that", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["share", "--wait"], io);
  await io.until(({ err }) => err.includes("Waiting for the driver"));
  assertStrictEquals(io.out, "");
  const simulator = new Simulator({});
  await simulator.serve(listen, { port: 45451 });
  await io.until(({ lines }) => lines.length > 0);
  assertStrictEquals(io.out, "RCSP share listening on 127.0.0.1:45452\n");
  io.interrupt();
  assertStrictEquals(await ending, 0);
  await simulator.close();
});

test("share warns where other machines can reach it", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["share", "--simulate", "--listen-host", "0.0.0.0"], io);
  await io.until(({ err }) => err.includes("Warning: "));
  assertStrictEquals(
    io.err,
    "Warning: other machines can reach this port, and there is no password\n",
  );
  io.interrupt();
  assertStrictEquals(await ending, 0);
});

test("share without a driver, and with flags that exclude each other, fails with a sentence", async () => {
  const { connector, listen } = memoryNetwork();
  assertFails(await rcsp(["share"], { connector, listen }), 3);
  assertFails(await rcsp(["share", "--allow", "A", "--allow-all"], { connector, listen }), 2);
  assertFails(await rcsp(["share", "--listen", "99999"], { connector, listen }), 2);
});
