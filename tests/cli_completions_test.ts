import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { allFlags } from "../cli/command_line/flags.ts";
import { COMMANDS } from "../cli/registry.ts";
import { rcsp } from "./support/cli_io.ts";
import { run } from "./support/runtime.ts";
import { test } from "./support/test.ts";

test("each completion script names every command and every flag", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out, err } = await rcsp(["completions", shell]);
    assertEquals([code, err], [0, ""]);
    for (const command of COMMANDS) {
      assertStringIncludes(out, command.name);
      for (const { name } of allFlags(command)) {
        assertMatch(out, new RegExp(shell === "fish" ? `-l ${name}\\b` : `--${name}\\b`));
      }
    }
    assert(out.split("\n").every((line) => !line.endsWith(" ")));
  }
});

test("quotes in the zsh and fish scripts are in pairs", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { out } = await rcsp(["completions", shell]);
    const quotes = out.replaceAll(shell === "zsh" ? "'\\''" : "\\'", "").match(/'/g) ?? [];
    assertEquals(quotes.length % 2, 0, shell);
  }
});

const completed: [line: string[], words: string[]][] = [
  [["rcsp", "wa"], ["watch"]],
  [["rcsp", "--ver"], ["--version"]],
  [["rcsp", "led", "1", "red", "--l"], ["--led"]],
  [["rcsp", "watch", "--dr"], ["--driver"]],
  [["rcsp", "help", "pi"], ["ping"]],
  [["rcsp", "completions", ""], ["bash", "zsh", "fish"]],
  [["rcsp", "list", "--dialect", "package.j"], ["package.json"]],
];

test("the bash script completes commands, flags, words and files", async () => {
  const { out } = await rcsp(["completions", "bash"]);
  for (const [line, words] of completed) {
    const asked = `${out}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${line.length - 1}
_rcsp
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = await run(["bash", "--norc", "-c", asked]);
    const found = result.stdout.trim().split("\n").filter((word) => !word.startsWith("--help"));
    if (line[1] === "completions") { for (const word of words) assert(found.includes(word), word); }
    else assertEquals(found, words, line.join(" "));
    assertEquals([result.code, result.stderr], [0, ""]);
  }
});
