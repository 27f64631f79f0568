import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import {
  assertFails,
  type CliResult,
  rcsp,
  type TestIo,
  testIo,
  type TestIoOptions,
  withDriver,
} from "./support/cli_io.ts";
import { test } from "./support/test.ts";

/** A running `rcsp serve`, and what runs `rcsp simulator` against it. */
async function withServe(
  use: (control: (...args: string[]) => Promise<CliResult>, io: TestIo) => Promise<void>,
  world: TestIoOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, connector, ...world });
  const ending = main(["serve"], io);
  await Promise.race([io.until(({ lines }) => lines.length > 0), ending]);
  const options = { connector, terminal: true, columns: 200, variables: { NO_COLOR: "1" } };
  try {
    await use((...args) => rcsp(["simulator", ...args], options), io);
  } finally {
    io.interrupt();
    assertEquals(await ending, 0);
  }
}

test("simulator press reaches the subscribers of a running serve", async () => {
  await withServe(async (control, io) => {
    await using client = await connect({ connector: io.connector });
    const presses = client.buttonPresses(2);
    await presses.ready;
    for (const [args, type] of [[[], "SinglePress"], [["LongPress"], "LongPress"]] as const) {
      assertEquals(await control("press", "2", ...args), {
        code: 0,
        out: "",
        err: `${type} of 2 (Smartglove Right): sent to 1 client\n`,
      });
      const { value } = await presses.next();
      assertEquals(value?.type, type);
    }
    await io.until(({ err }) => err.includes("LongPress of 2 (Smartglove Right): sent to"));
    const json = await rcsp(["simulator", "press", "1"], { connector: io.connector! });
    assertEquals(json, { code: 0, out: '{"Clients":0}\n', err: "" });
  });
});

test("simulator add and remove change the devices of a running serve", async () => {
  await withServe(async (control, { connector }) => {
    const added = await control("add", "DeviceId:=9", "Name=Spare", "hasButton:=true");
    assertEquals(added, { code: 0, out: "", err: "Device 9 is connected\n" });
    const { out } = await rcsp(["list"], { connector: connector! });
    assertStringIncludes(out, '{"DeviceId":9,"Name":"Spare","Type":""}\n');
    const twice = await control("add", "DeviceId:=9");
    assertFails(twice, 1);
    assertStringIncludes(twice.err, "'DeviceId' 9 is in use");
    const unknown = await control("add", "DeviceId:=10", "Nmae=x");
    assertFails(unknown, 1);
    assertStringIncludes(unknown.err, "Nmae");
    const removed = await control("remove", "9");
    assertEquals(removed, { code: 0, out: "", err: "Device 9 (Spare) is disconnected\n" });
    assertFails(await control("remove", "9"), 1);
  });
});

test("the keys of serve press the first glove that is there now", async () => {
  const removed = Promise.withResolvers<void>();
  async function* keys(): AsyncGenerator<string> {
    await removed.promise;
    yield* ["1", "q"];
  }
  await withServe(async (control, io) => {
    assertEquals((await control("remove", "1")).code, 0);
    removed.resolve();
    await io.until(({ err }) => err.includes("SinglePress of 2 (Smartglove Right): no client"));
  }, { keys });
});

test("simulator fault begins with the next connections, and none ends it", async () => {
  await withServe(async (control, { connector }) => {
    const list = (): Promise<CliResult> =>
      rcsp(["list", "--timeout", "50"], { connector: connector! });
    for (const [fault, code] of [["silent=0", 4], ["cut=0", 3], ["none", 0]] as const) {
      const { code: ended, err } = await control("fault", fault);
      assertEquals([ended, err], [0, `Faults: ${fault}\n`]);
      assertEquals((await list()).code, code, fault);
    }
  });
});

test("a driver that is not a simulator gets a clear sentence, and nothing happens", async () => {
  await withDriver(async ({ connector }) => {
    for (
      const args of [["press", "1"], ["add", "DeviceId:=9"], ["remove", "1"], ["fault", "none"]]
    ) {
      const result = await rcsp(["simulator", ...args], { connector });
      assertFails(result, 1);
      assertStringIncludes(result.err, "No simulator at localhost:45451: what answers there");
      assertStringIncludes(result.err, "Start one with 'rcsp serve'");
    }
    assertEquals((await rcsp(["list"], { connector })).out.split("\n").length, 5);
  });
});

test("where nothing listens, it says how to start a simulator, and not --simulate", async () => {
  const { connector } = memoryNetwork();
  const result = await rcsp(["simulator", "press", "1"], { connector });
  assertFails(result, 3);
  assertStringIncludes(result.err, "connection refused. Start a simulator with 'rcsp serve'");
  assert(!result.err.includes("--simulate"), result.err);
});

const wrong: [sentence: string, ...args: string[]][] = [
  ["Missing <action>. Run 'rcsp help simulator'."],
  ["Missing <argument>. Run 'rcsp help simulator'.", "press"],
  ["Unknown action 'pres'. Did you mean 'press'?", "pres", "1"],
  ["Invalid press 'LongPres'. Did you mean 'LongPress'?", "press", "1", "LongPres"],
  ["Unexpected argument 'x'. Run 'rcsp help simulator'.", "remove", "1", "x"],
  ["Unknown fault 'ct'. Did you mean 'cut'?", "fault", "ct=1"],
  ["Invalid argument 'x'", "add", "x", "y"],
];

test("a wrong simulator line is a usage error that explains what to do", async () => {
  for (const [sentence, ...args] of wrong) {
    const result = await rcsp(["simulator", ...args], { connector: memoryNetwork().connector });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});
