import { fileURLToPath } from "node:url";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { run, runtime, runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const child = fileURLToPath(new URL("./support/echo_child.ts", import.meta.url));

test("run() passes arguments and input to a child, and returns its code and output", async () => {
  const result = await run(runtimeCommand(child, "--exit=3"), { stdin: "one\ntwo\n" });
  assertEquals(result.code, 3);
  assertEquals(result.stdout, `${runtime}\none\ntwo\n`);
  assertStringIncludes(result.stderr, "the input ended");
});

test("run() kills a child that takes too long", async () => {
  const error = await assertRejects(
    () => run(runtimeCommand(child, "--stay"), { timeout: 1_500 }),
    Error,
    "within 1500 ms",
  );
  assertStringIncludes(error.message, runtime);
});

test("run() rejects if the program does not exist", async () => {
  await assertRejects(() => run(["./no-such-program"]), Error);
});

test("start() returns lines as they come and ends the child", async () => {
  const echo = start(runtimeCommand(child));
  assertEquals(await echo.nextLine(), runtime);
  echo.write("one\n");
  assertEquals(await echo.nextLine(), "one");
  const result = await echo.end();
  assertEquals(await echo.end(), result);
});

test("start() rejects when a child ends without the expected line", async () => {
  const echo = start(runtimeCommand(child, "--exit=4"), { stdin: "" });
  assertEquals(await echo.nextLine(), runtime);
  await assertRejects(() => echo.nextLine(), Error, "code 4");
});
