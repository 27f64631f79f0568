import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { displayWidth } from "../cli/terminal/text_width.ts";
import { CommandError } from "../src/errors.ts";
import type { SimulatedDevice } from "../src/simulator/devices.ts";
import { testIo, withDriver } from "./support/cli_io.ts";
import { main } from "../cli/main.ts";
import { test } from "./support/test.ts";

const unprintable = /[^\P{C}\n]|[\u2028\u2029]/u;

/** Texts that steer a terminal, reorder or forge its lines, or break a layout. */
const texts: [what: string, text: string][] = [
  ["clear screen", "\x1b[2J\x1b[H"],
  ["a link by OSC 8", "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07"],
  ["the clipboard by OSC 52", "\x1b]52;c;cm0gLXJmIH4=\x1b\\"],
  ["carriage return", "good\rforged"],
  ["BEL and backspace", "\x07\b\b\b"],
  ["C1", "\x9b31m\x90q\x9d0;title\x9c"],
  ["bidi overrides", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"],
  ["a newline", "one\nforged 1  line\r\n\u0085\u2028\u2029\v\f"],
  ["10 KB", "long ".repeat(2_048)],
  ["10 KB of marks", `a${"\u0301".repeat(10_240)}`],
  ["marks at the start", "\u0301\u0323x"],
  ["wide characters", "手袋グローブ".repeat(20)],
  ["emoji", "🧤👩‍👩‍👧🇩🇪❤️".repeat(20)],
  ["lone surrogates", "\ud800x\udc00"],
  ["NUL and DEL", "\0\x7f"],
  ["tags and zero width", "\u{e0041}\u200b\u200d\ufeff"],
  ["format characters of printf", "%s%n$(id)`id`'\"\\"],
  ["keys of objects", "__proto__"],
];

for (const [what, text] of texts) {
  test(`foreign text with ${what} stays text in every output`, async () => {
    const device = {
      DeviceId: text,
      Name: text,
      Type: text,
      hasButton: true,
      info: { [text]: text },
    };
    const other = { DeviceId: 2, Name: "x", Type: "x" };
    await withDriver(async ({ simulator, connector }) => {
      simulator.server.handle("Fail", () => {
        throw new CommandError({ Code: text, Message: text });
      });
      simulator.server.handle(text, () => ({ [text]: [text] }));
      for (const columns of [80, 20, 1]) {
        for (const json of [[], ["--json"]]) {
          for (
            const [code, ...args] of [
              [0, "list"],
              [0, "info", text],
              [0, "led", text, "red"],
              [0, "call", text],
              [1, "info", `${text}?`],
              [1, "led", text, "red", "--led", `${text}?`],
              [1, "call", "Fail"],
              [2, text],
              [2, "list", `--${text}`],
              [2, "list", text],
              [2, "led", "2", `${text}?`],
            ] as [number, ...string[]][]
          ) {
            const io = testIo({ connector, terminal: true, columns, variables: { NO_COLOR: "1" } });
            assertEquals(await main([...args, ...json], io), code, `${args[0]}: ${io.err}`);
            assertSafe(io.out, io.err);
            if (json.length > 0) { for (const line of io.lines) JSON.parse(line); }
            if (args[0] === "list" && json.length === 0) {
              for (const line of io.lines) assertLessOrEqual(displayWidth(line), columns);
            }
          }
        }
      }
    }, { devices: [device as SimulatedDevice, other] });
  });

  test(`an event with ${what} stays one line`, async () => {
    const device = { DeviceId: text, Name: text, Type: text, hasButton: true };
    await withDriver(async ({ simulator, connector }) => {
      for (const flags of [[], ["--json"], ["--raw"], ["--timestamps"]]) {
        const io = testIo({ connector, terminal: true, columns: 20, variables: { NO_COLOR: "1" } });
        const ending = main(["watch", "--count", "2", "DeviceEvents/x", ...flags], io);
        await io.until(({ err }) => err.includes("Ctrl-C"));
        const topic = { publisher: "DeviceEvents", topic: "x", deviceId: text };
        simulator.server.publish({ ...topic, data: { [text]: text } });
        simulator.server.publish({ ...topic, pressType: "SinglePress" });
        assertEquals(await ending, 0);
        assertSafe(io.out, io.err);
        assertEquals(io.lines.length, 2);
        if (flags.includes("--json")) {
          assertEquals(JSON.parse(io.lines[0]!).data, JSON.parse(JSON.stringify({ [text]: text })));
          assertEquals(JSON.parse(io.lines[0]!).deviceId, text);
        } else if (!flags.includes("--raw")) {
          for (const line of io.lines) assertLessOrEqual(displayWidth(line), 20);
        }
      }
    }, { topics: [{ publisher: "DeviceEvents", topic: "x" }], devices: [device] });
  });
}

test("--json gives foreign text back as it was", async () => {
  const devices = texts.map(([Type, text], i) => ({ DeviceId: i, Name: text, Type }));
  await withDriver(async ({ connector }) => {
    const io = testIo({ connector });
    await main(["list"], io);
    assertEquals(io.lines.map((line) => JSON.parse(line)), devices);
  }, { devices });
});

function assertSafe(...outputs: string[]): void {
  for (const output of outputs) {
    assertEquals(unprintable.exec(output), null, output);
    assert(!/^forged/m.test(output), output);
  }
}
