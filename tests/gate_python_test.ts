import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "@std/assert";
import { run, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const gate = fileURLToPath(new URL("../dev/gate.ts", import.meta.url));

test("the gate fails at once with a message if Python is missing", async () => {
  const { code, stdout } = await run(runtimeCommand(gate), { env: { PATH: "" } });
  assertEquals(code, 1);
  assertMatch(stdout, /\nFAILED {2}python3: The tests need Python 3 .*\n/);
  assertEquals(stdout.match(/^(?:ok|FAILED) /gm)?.length, 1);
  assertMatch(stdout, /\n0 passed, 1 failed\n$/);
});
