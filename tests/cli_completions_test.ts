import { fileURLToPath } from "node:url";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { allFlags } from "../cli/command_line/flags.ts";
import { COMMANDS } from "../cli/registry.ts";
import { rcsp } from "./support/cli_io.ts";
import { run, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const PROGRAM = runtimeCommand(fileURLToPath(new URL("../cli/mod.ts", import.meta.url)))
  .map((part) => `'${part}'`).join(" ");
const NAMES = COMMANDS.map(({ name }) => name);

const completed: [before: string[], word: string, candidates: string[]][] = [
  [[], "", NAMES],
  [[], "wa", ["watch"]],
  [[], "--ver", ["--version"]],
  [["led"], "", []],
  [["led", "list"], "re", ["red"]],
  [["led", "1"], "re", ["red"]],
  [["led", "--led", "RingLed", "1"], "wh", ["white"]],
  [["led", "1", "red"], "--l", ["--led"]],
  [["watch"], "--dr", ["--driver"]],
  [["help"], "pi", ["ping"]],
  [["completions"], "", ["bash", "zsh", "fish", "powershell"]],
  [["list", "--dialect"], "", []],
  [["nonsense"], "--no", ["--no-color"]],
];

test("rcsp __complete knows commands, flags, choices and colors", async () => {
  for (const [before, word, candidates] of completed) {
    const { code, out, err } = await rcsp(["__complete", `=${word}`, ...before]);
    const words = out.split("\n").slice(0, -1).map((line) => line.split("\t")[0]);
    assertEquals([code, err, words], [0, "", candidates], `${before.join(" ")} ${word}`);
  }
  for (const command of COMMANDS) {
    const { out } = await rcsp(["__complete", "=--", command.name]);
    for (const { name, about } of allFlags(command)) {
      assertStringIncludes(out, `--${name}\t${about}\n`);
    }
  }
});

test("each shell has a script that calls rcsp", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { code, out, err } = await rcsp(["completions", shell]);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "rcsp __complete ");
  }
});

test("the bash script completes commands, flags and words, and leaves files to bash", async () => {
  const { out } = await rcsp(["completions", "bash"]);
  for (const [before, word, candidates] of completed.slice(1, 9)) {
    const line = ["rcsp", ...before, word].map((part) => `'${part}'`).join(" ");
    const asked = `rcsp() { ${PROGRAM} "$@"; }
${out}
COMP_WORDS=(${line})
COMP_CWORD=${before.length + 1}
_rcsp rcsp '${word}'
printf '%s\\n' "\${COMPREPLY[@]}"
complete -p rcsp`;
    const result = await run(["bash", "--norc", "-c", asked]);
    const expected = `${candidates.join("\n")}\ncomplete -o default -F _rcsp rcsp\n`;
    assertEquals([result.code, result.stderr, result.stdout], [0, "", expected]);
  }
});
