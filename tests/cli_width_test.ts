import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { memoryNetwork } from "../src/socket/memory.ts";
import { rcsp } from "./support/cli_io.ts";
import { painter } from "../cli/terminal/styles.ts";
import { formatDuration, parseDuration } from "../cli/command_line/duration.ts";
import { suggest } from "../cli/command_line/suggest.ts";
import { layOut } from "../cli/terminal/table.ts";
import { displayWidth, fit, pad } from "../cli/terminal/text_width.ts";
import { test } from "./support/test.ts";

const widths: [text: string, width: number][] = [
  ["", 0],
  ["plain", 5],
  ["手袋", 4],
  ["グローブ", 8],
  ["ｸﾞﾛｰﾌﾞ", 6],
  ["장갑", 4],
  ["한", 2],
  ["ＡＢ", 4],
  ["，。", 4],
  ["🧤", 2],
  ["👍🏽", 2],
  ["🇩🇪", 2],
  ["❤️", 2],
  ["1️⃣", 2],
  ["👩‍👩‍👧", 2],
  ["𠮷", 2],
  ["é", 1],
  ["e\u0301\u0323\u0308", 1],
  ["\u0301", 0],
  ["क्षि", 3],
  ["─│", 2],
  ["a\u200bb", 2],
];

test("displayWidth() counts columns: wide, combining, emoji, joined", () => {
  for (const [text, width] of widths) assertEquals(displayWidth(text), width, text);
});

const cuts: [text: string, columns: number, fitted: string][] = [
  ["plain", 5, "plain"],
  ["plain", 4, "pla…"],
  ["plain", 1, "…"],
  ["plain", 0, ""],
  ["", 0, ""],
  ["手袋手", 6, "手袋手"],
  ["手袋手", 5, "手袋…"],
  ["手袋手", 4, "手…"],
  ["手袋手", 2, "…"],
  ["a🇩🇪b", 3, "a…"],
  ["a🇩🇪", 3, "a🇩🇪"],
  ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
  ["\u0301x", 4, "◌\u0301x"],
];

test("fit() cuts between characters and leaves an ellipsis", () => {
  for (const [text, columns, fitted] of cuts) {
    assertEquals(fit(text, columns), fitted, text);
    assertLessOrEqual(displayWidth(fit(text, columns)), columns);
  }
});

test("fit() thins out marks that are piled up", () => {
  const piled = fit(`a${"\u0301".repeat(10_000)}b`, 10);
  assert(piled.length < 20 && piled.startsWith("a\u0301") && piled.endsWith("b"));
  const astral = fit(`a${"\u{1d165}".repeat(100)}`, 10);
  assert(astral.isWellFormed());
});

test("pad() fills up to columns, not to characters", () => {
  assertEquals(pad("手", 4) + "|", "手  |");
  assertEquals(pad("手", 4, true) + "|", "  手|");
  assertEquals(pad("long", 2), "long");
});

const plain = painter(
  { isTerminal: false, columns: 80, write: () => Promise.resolve() },
  () => undefined,
  false,
);
const columns = [{ name: "Id", right: true }, { name: "Name" }, { name: "Type" }];

test("layOut() aligns columns with wide and combining characters", () => {
  const rows = [["1", "手袋", "a"], ["22", "e\u0301🧤", "b"], ["333", "x", "c"]];
  assertEquals(layOut(columns, rows, 80, plain).lines, [
    " Id  Name  Type",
    "  1  手袋  a",
    " 22  e\u0301🧤   b",
    "333  x     c",
  ]);
});

test("layOut() keeps every line within the terminal, and leaves out what has no room", () => {
  const rows = [["1", "手".repeat(5_000), "x".repeat(10_000)], ["2", "b", "c"]];
  for (let width = 1; width <= 60; width++) {
    const { lines, hidden } = layOut(columns, rows, width, plain);
    for (const line of lines) assertLessOrEqual(displayWidth(line), width, `${width}: ${line}`);
    assertEquals(hidden > 0, width < 18, `${width}`);
    assert(lines.every((line) => !line.endsWith(" ")));
  }
});

test("layOut() escapes before it measures", () => {
  const { lines } = layOut(
    [{ name: "\x1b[1m" }, { name: "B" }],
    [["a\nb\r\u202e", "c"]],
    80,
    plain,
  );
  assertEquals(lines, ["\\u001b[1m             B", "a\\u000ab\\u000d\\u202e  c"]);
});

test("a painter paints in a terminal, except with --no-color", () => {
  const output = (isTerminal: boolean) => ({
    isTerminal,
    columns: 80,
    write: () => Promise.resolve(),
  });
  const shown = (terminal: boolean, env: Record<string, string>, noColor = false): boolean =>
    painter(output(terminal), (name) => env[name], noColor)("bad", "x") !== "x";
  assertEquals(painter(output(true), () => undefined, false)("bad", "x"), "\x1b[31mx\x1b[39m");
  assert(shown(true, { NO_COLOR: "" }));
  assert(!shown(true, { NO_COLOR: "1" }));
  assert(!shown(true, { TERM: "dumb" }));
  assert(!shown(true, {}, true));
  assert(!shown(false, {}));
});

test("parseDuration() reads what people write", () => {
  const durations: [text: string, time: number | undefined][] = [
    ["0", 0],
    ["500", 500],
    ["500ms", 500],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["0.5ms", 1],
  ];
  for (const [text, time] of durations) assertEquals(parseDuration(text), time, text);
  for (const text of ["", "s", "-1", "1e3", "1 s", "1S", "1s2", ".5s", "Infinity", "١"]) {
    assertEquals(parseDuration(text), undefined, text);
  }
  assertEquals([850.4, 2_500, 180_000].map(formatDuration), ["850 ms", "2.5 s", "3 min"]);
});

test("suggest() finds what was probably meant, and nothing where that is a guess", () => {
  const words = ["list", "info", "led", "watch", "completions"];
  const typed: [text: string, meant: string | undefined][] = [
    ["lst", "list"],
    ["LIST", "list"],
    ["ilst", "list"],
    ["inf", "info"],
    ["comp", "completions"],
    ["completion", "completions"],
    ["l", undefined],
    ["", undefined],
    ["x", undefined],
    ["hello", undefined],
    ["list".repeat(100_000), undefined],
  ];
  for (const [text, meant] of typed) assertEquals(suggest(text, words), meant, text.slice(0, 20));
});

test("messages are wrapped between words in a terminal, and left alone in a pipe", async () => {
  const { connector } = memoryNetwork();
  for (const columns of [40, 80]) {
    const narrow = await rcsp(["list"], { connector, terminal: true, columns });
    for (const line of narrow.err.split("\n")) assert(line.length <= columns, line);
    const { err } = await rcsp(["list"], { connector });
    assertEquals(narrow.err.trim().split(/\s+/), err.trim().split(/\s+/));
    assertEquals(err.split("\n").length, 2);
    const doctor = await rcsp(["doctor"], { connector, terminal: true, columns });
    for (const line of doctor.out.split("\n")) {
      assert(stripVTControlCharacters(line).length <= columns);
    }
  }
});
