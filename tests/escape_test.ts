import { assertEquals, assertMatch } from "@std/assert";
import { escapeUnprintable, quote } from "../src/escape.ts";
import { test } from "./support/test.ts";

const escaped: { name: string; text: string; shown: string }[] = [
  { name: "an escape sequence", text: "a\x1b[2Jb", shown: "a\\u001b[2Jb" },
  {
    name: "a link (OSC 8)",
    text: "\x1b]8;;http://x\x1b\\y",
    shown: "\\u001b]8;;http://x\\u001b\\y",
  },
  { name: "a clipboard write (OSC 52)", text: "\x1b]52;c;eA\x07", shown: "\\u001b]52;c;eA\\u0007" },
  { name: "a carriage return", text: "safe\rrm", shown: "safe\\u000drm" },
  { name: "a bell", text: "\x07", shown: "\\u0007" },
  { name: "a backspace", text: "a\bb", shown: "a\\u0008b" },
  { name: "NUL", text: "\0", shown: "\\u0000" },
  { name: "DEL", text: "\x7f", shown: "\\u007f" },
  { name: "a one-character CSI", text: "\x9b2J", shown: "\\u009b2J" },
  { name: "a one-character OSC", text: "\x9d52", shown: "\\u009d52" },
  { name: "newline and tab", text: "a\n\tb", shown: "a\\u000a\\u0009b" },
  { name: "the separators", text: "\u2028\u2029\x85", shown: "\\u2028\\u2029\\u0085" },
  { name: "bidi overrides", text: "\u202a\u202e", shown: "\\u202a\\u202e" },
  { name: "bidi isolates", text: "\u2066\u2069", shown: "\\u2066\\u2069" },
  { name: "bidi marks", text: "\u200e\u200f\u061c", shown: "\\u200e\\u200f\\u061c" },
  { name: "invisible characters", text: "\u200b\u00ad\ufeff", shown: "\\u200b\\u00ad\\ufeff" },
  { name: "a lone high surrogate", text: "a\ud83eb", shown: "a\\ud83eb" },
  { name: "a lone low surrogate", text: "\udde4", shown: "\\udde4" },
  { name: "an astral tag character", text: "\u{e0041}", shown: "\\udb40\\udc41" },
  { name: "private use", text: "\ue000\u{f0000}", shown: "\\ue000\\udb80\\udc00" },
];

for (const { name, text, shown } of escaped) {
  test(`${name} is escaped`, () => assertEquals(escapeUnprintable(text), shown));
}

test("every control character and every bidi character is escaped", () => {
  const ranges = [[0, 0x1f], [0x7f, 0x9f], [0x202a, 0x202e], [0x2066, 0x2069]] as const;
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) {
      assertMatch(escapeUnprintable(`a${String.fromCharCode(code)}b`), /^a\\u[0-9a-f]{4}b$/);
    }
  }
});

for (
  const text of [
    "",
    "Smart glove, left [1] {2} 'x' \"y\" \\ ~",
    "Gerät é à",
    "手套 グローブ",
    "שלום سلام",
    "\u{1f9e4}\u{10348}",
    "e\u0301",
    "\ufffd",
    "x".repeat(10_240),
  ]
) {
  test(`${JSON.stringify(text.slice(0, 20))} of length ${text.length} is not changed`, () => {
    assertEquals(escapeUnprintable(text), text);
  });
}

test("with 'layout' newlines and tabs are kept, and everything else is escaped", () => {
  assertEquals(
    escapeUnprintable("a\n\tb\r\x1b\x0b", { layout: true }),
    "a\n\tb\\u000d\\u001b\\u000b",
  );
  assertEquals(escapeUnprintable("a\nb", { layout: false }), "a\\u000ab");
});

const values: unknown[] = [
  ...escaped.map(({ text }) => text),
  { "\u202ekey\x9b": ["\\", '"', "\\\u202e", '\\"\u2028', "\u{1f9e4}\u{e0041}"] },
  { a: [1, null, true, { b: "\x7f" }] },
];

for (const [i, value] of values.entries()) {
  test(`escaped JSON parses to the same value (${i + 1})`, () => {
    assertEquals(JSON.parse(escapeUnprintable(JSON.stringify(value))), value);
    const laidOut = JSON.stringify(value, null, 2);
    assertEquals(JSON.parse(escapeUnprintable(laidOut, { layout: true })), value);
  });
}

test("escaping twice is the same as escaping once", () => {
  for (const { text } of escaped) {
    const once = escapeUnprintable(text);
    assertEquals(escapeUnprintable(once), once);
  }
});

test("quote() quotes and escapes", () => {
  assertEquals(quote("LED\x1b[2J"), "'LED\\u001b[2J'");
  assertEquals(quote(""), "''");
});

test("quote() cuts what is longer than 40 characters", () => {
  assertEquals(quote("x".repeat(40)), `'${"x".repeat(40)}'`);
  assertEquals(quote("x".repeat(41)), `'${"x".repeat(40)}…'`);
  assertEquals(quote("\x1b".repeat(10_240)), `'${"\\u001b".repeat(40)}…'`);
});
