import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { rcsp, type TestIoOptions } from "./support/cli_io.ts";
import { withMotion, withServer } from "./support/motion_io.ts";
import { test } from "./support/test.ts";

/** What doctor finds at the two ports of the motion stream, as `mark port: finding`. */
async function motionFindings(options: TestIoOptions, ...args: string[]): Promise<string[]> {
  const { out } = await rcsp(["doctor", ...args], options);
  return out.split("\n").slice(0, -1).map((line) => JSON.parse(line))
    .filter(({ check }) => check === "hands" || check === "raw stream")
    .map(({ result, check, finding }) => `${result} ${check}: ${finding}`);
}

test("doctor reports which devices the motion stream has", async () => {
  await withMotion(async ({ connector, simulator }) => {
    assertEquals(await motionFindings({ connector }), [
      "ok hands: localhost:12277 has 2 devices: left solved_hand 1, right solved_hand 2",
      "ok raw stream: localhost:12276 has 2 devices: smartgloves 1, smartgloves 2",
    ]);
    simulator.removeDevice(1);
    const [hands] = await motionFindings({ connector });
    assertEquals(hands, "ok hands: localhost:12277 has 1 device: right solved_hand 2");
  });
  assertMatch((await motionFindings({}, "--simulate"))[0]!, /^ok hands: .* has 2 devices/);
});

test("doctor explains what to do about a hand without joints_openxr, which is not a failure", async () => {
  await withMotion(async ({ connector }) => {
    const found = await motionFindings({ connector });
    assertEquals(found.map((line) => line.split(":")[0]), [
      "ok hands",
      "warn hands",
      "warn hands",
      "ok raw stream",
    ]);
    assertStringIncludes(found[1]!, "start the hand solver with --emit-openxr");
    assertEquals((await rcsp(["doctor"], { connector })).code, 0);
  }, { motion: { faults: { noOpenXr: true } } });
});

test("doctor reports no motion stream, a silent port and another protocol apart", async () => {
  const { connector } = memoryNetwork();
  assertEquals(await motionFindings({ connector }), [
    "info hands: nothing listens on localhost:12277",
    "info raw stream: nothing listens on localhost:12276",
  ]);
  await withServer(async () => {}, async (connector) => {
    const [hands] = await motionFindings({ connector });
    assertMatch(hands!, /^info hands: localhost:12277 sends nothing: no device is connected/);
  });
  const text = new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n");
  await withServer((socket) => socket.write(text), async (connector) => {
    const [hands] = await motionFindings({ connector });
    assertMatch(hands!, /^warn hands: localhost:12277 is not a motion stream: /);
  });
  await withServer((socket) => Promise.resolve(socket.close()), async (connector) => {
    const [hands] = await motionFindings({ connector });
    assertMatch(hands!, /^warn hands: Connection to /);
  });
});

test("doctor does not look for motion where it looks for the driver", async () => {
  await withMotion(async ({ connector }) => {
    const found = await motionFindings({ connector }, "--port", "12277", "--timeout", "50");
    assertEquals(found.map((line) => line.split(":")[0]), ["ok raw stream"]);
  });
});
