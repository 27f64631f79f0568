/** The examples of the help: each can be pasted, also where a narrow terminal continues its line. */

import { assert, assertEquals } from "@std/assert";
import { allFlags } from "../cli/command_line/flags.ts";
import { readCommandLine } from "../cli/command_line/parse.ts";
import { main } from "../cli/main.ts";
import { COMMANDS } from "../cli/registry.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { rcsp, testIo } from "./support/cli_io.ts";
import { run } from "./support/runtime.ts";
import { test } from "./support/test.ts";

/** Stands for every program in an example, and says what a shell passes to `rcsp`. */
const STUB = `rcsp() { printf '%s\\0' RCSP "$@" >&3; }
for name in jq tail echo cat eval; do
  eval "$name() { :; }"
done
`;

/** What the shell makes of each example of a command, as help shows it in so many columns. */
async function examplesOf(name: string, columns: number): Promise<string[][]> {
  const options = { terminal: true, columns, variables: { NO_COLOR: "1" } };
  const { out } = await rcsp(["help", name], options);
  const [, examples = ""] = out.split("\nExamples:\n");
  // A redirection would write files.
  const pasted = examples.replaceAll(/>>?\s*(?:\\\n\s*)?\S+/g, "");
  const { code, stdout, stderr } = await run(["bash", "--norc", "-c", `${STUB}{ ${pasted} } 3>&1`]);
  assertEquals([code, stderr], [0, ""], `${name}: ${pasted}`);
  return stdout.split("RCSP\0").slice(1).map((args) => args.split("\0").slice(0, -1));
}

test("each example of the help is a command line that its command takes", async () => {
  for (const { name, examples } of COMMANDS) {
    const wide = await examplesOf(name, 200);
    assert(wide.length >= examples.length, name);
    assertEquals(await examplesOf(name, 40), wide, name);
    for (const [first, ...rest] of wide) {
      const command = COMMANDS.find(({ name }) => name === first);
      assert(command !== undefined, first);
      const { positionals = [] } = command;
      const rules = { flags: allFlags(command), positionals, env: () => undefined, help: "" };
      readCommandLine(rest, rules);
    }
  }
});

test("each example with --simulate that writes no file and starts nothing runs", async () => {
  for (const { name } of COMMANDS) {
    for (const args of await examplesOf(name, 200)) {
      const opensMore = ["ui", "record", "share", "mqtt", "osc"].includes(args[0]!);
      if (!args.includes("--simulate") || args.includes("--exec") || opensMore) continue;
      const io = testIo(memoryNetwork());
      const ending = main(args, io);
      // What goes on until Ctrl-C has said something by then.
      await Promise.race([ending, io.until(({ out, err }) => out !== "" || /Ctrl-C/.test(err))]);
      io.interrupt();
      const code = await ending;
      assert(code === 0 || code === 130, `${args.join(" ")}: ${code} ${io.err}`);
    }
  }
});
