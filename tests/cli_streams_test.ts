import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { displayWidth } from "../cli/terminal/text_width.ts";
import { main } from "../cli/main.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { assertFails, rcsp, testIo } from "./support/cli_io.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { withMotion, withServer } from "./support/motion_io.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("streams in a pipe is the definition of each device, as it was sent", async () => {
  await withMotion(async ({ connector }) => {
    const { code, out, err } = await rcsp(["streams"], { connector });
    assertEquals([code, err], [0, ""]);
    const definitions = out.split("\n").slice(0, -1).map((line) => JSON.parse(line));
    assertEquals(definitions.map(({ device_info }) => device_info.hand), ["left", "right"]);
    assertEquals(definitions[0].groups.map(({ name }: { name: string }) => name), [
      "joints_local",
      "joints_openxr",
    ]);
  });
});

test("streams in a terminal is a table of groups and streams for each device", async () => {
  for (const columns of [120, 80, 40]) {
    await withMotion(async ({ connector }) => {
      const options = { connector, terminal: true, columns, variables: { NO_COLOR: "1" } };
      const { code, out } = await rcsp(["streams", "--raw"], options);
      assertEquals(code, 0);
      for (
        const part of [
          "smartgloves 1",
          "device_boot",
          "group 0 sensors: 8 streams",
          "group 1 flags",
          "hub",
        ]
      ) {
        assertStringIncludes(out, part);
      }
      if (columns > 40) assertStringIncludes(out, "FLOAT[7]");
      for (const line of out.split("\n")) assert(displayWidth(line) <= columns, line);
    });
  }
});

test("streams explains what to do about a hand without joints_openxr", async () => {
  await withMotion(async ({ connector }) => {
    const { code, out, err } = await rcsp(["streams"], { connector });
    assertEquals([code, out.split("\n").length - 1], [0, 2]);
    assertStringIncludes(err, "start the hand solver with --emit-openxr");
  }, { motion: { faults: { noOpenXr: true } } });
});

test("a definition that cannot be read is an error, and the others are shown", async () => {
  await withServer(async (socket) => {
    await socket.write(encodeDefinition({ device_id: 1, groups: [{ streams: [{}] }] }));
    await socket.write(encodeDefinition({ device_id: 2, groups: [] }));
  }, async (connector) => {
    const { code, out, err } = await rcsp(["streams"], { connector });
    assertEquals(code, 5);
    assertEquals(JSON.parse(out), { device_id: 2, groups: [] });
    assertStringIncludes(err, "definition of device 1");
  });
});

test("no stream, a silent one, and one that ends are reported apart", async () => {
  const { connector } = memoryNetwork();
  assertFails(await rcsp(["streams"], { connector }), 3);
  await withServer(async () => {}, async (connector) => {
    const clock = new FakeClock();
    const io = testIo({ connector, clock });
    const ending = main(["streams"], io);
    await until(() => clock.timers > 0);
    clock.advance(2_000);
    assertEquals(await ending, 4);
    assertStringIncludes(io.err, "localhost:12277 accepts the connection but sends nothing");
  });
  await withServer(
    (socket) => socket.write(Uint8Array.of(0xdc, 1, 8, 4, 0, 0, 0, 0)),
    async (connector) => {
      const { code, err } = await rcsp(["streams"], { connector });
      assertEquals(code, 5);
      assertStringIncludes(err, "RCSP");
    },
  );
});

test("streams --simulate needs no driver", async () => {
  const { code, out } = await rcsp(["streams", "--simulate"]);
  assertEquals([code, out.split("\n").length - 1], [0, 2]);
});
