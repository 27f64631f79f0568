import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Clock } from "../cli/process/io.ts";
import { main } from "../cli/main.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const sources: [source: string | undefined, args: unknown][] = [
  [undefined, undefined],
  ['{"DeviceId":1}', { DeviceId: 1 }],
  ["@args.json", { a: ["ä"] }],
  ["-", { from: "stdin" }],
  ["{}", {}],
  ['{"__proto__":{"x":1}}', JSON.parse('{"__proto__":{"x":1}}')],
];

test("call accepts arguments from the line, from a file and from standard input", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    simulator.server.handle("Echo", ({ Arguments }) => ({ Arguments }));
    for (const [source, args] of sources) {
      const line = ["call", "Echo", ...(source === undefined ? [] : [source])];
      const { code, out, err } = await rcsp(line, {
        connector,
        files: { "args.json": '{"a":["ä"]}\n' },
        input: ['{"fr', 'om":"stdin', '"}'],
      });
      assertEquals([code, err], [0, ""], source);
      assertEquals(commands.at(-1), ["Echo", args]);
      assertEquals(JSON.parse(out), { Arguments: args ?? {} });
    }
  });
});

test("call accepts arguments as Name=text and Name:=JSON", async () => {
  await withDriver(async ({ connector, commands }) => {
    const words = ["DeviceId:=1", "Name=a=b", "Empty=", 'Deep:={"x":[null]}', "__proto__=x"];
    await rcsp(["call", "Echo", ...words], { connector });
    const sent = '{"DeviceId":1,"Name":"a=b","Empty":"","Deep":{"x":[null]},"__proto__":"x"}';
    assertEquals(JSON.stringify(commands.at(-1)?.[1]), sent);
  });
});

const badItems: [sentence: string, ...words: string[]][] = [
  ["Invalid argument '{}': expected Name=text or Name:=JSON", "A=1", "{}"],
  ["Invalid argument 'B': expected Name=text or Name:=JSON", "A=1", "B"],
  ["Invalid argument '@file': expected", "@file", "A=1"],
  ["Invalid argument 'B': expected Name=text or Name:=JSON", "B"],
  ["Invalid argument '1': expected Name=text or Name:=JSON", "1"],
  ["Invalid argument 'A:=x' is not JSON after ':='. For text use '='.", "A:=x"],
  ["Invalid argument 'A:=' is not JSON after ':='", "A:="],
  ["The argument 'A' is given twice", "A=1", "A:=2"],
  ["a number too large to be exact", "A:=9007199254740993"],
];

test("call refuses arguments that are neither Name=text nor Name:=JSON", async () => {
  for (const [sentence, ...words] of badItems) {
    const result = await rcsp(["call", "X", ...words]);
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

function* endless(): Generator<Uint8Array> {
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  for (let i = 0; i < 1_000; i++) yield chunk;
  throw new Error("The input was read without an end");
}

const badInputs: [sentence: string, source: string, input?: Iterable<string | Uint8Array>][] = [
  ["Cannot read '{' as JSON", "{"],
  ["The arguments must be a JSON object, not an array", "[]"],
  ["The arguments must be a JSON object, not null", "-", ["null"]],
  ["The arguments must be a JSON object, not the string 'x'", '"x"'],
  ["Invalid argument 'null': expected Name=text or Name:=JSON", "null"],
  ["A file name must follow the '@'", "@"],
  ["Cannot read 'missing.json': no such file", "@missing.json"],
  ["Cannot read standard input as JSON", "-"],
  ["Cannot read standard input: it is not UTF-8 text", "-", [new Uint8Array([0x7b, 0xff, 0xfe])]],
  ["Cannot read standard input: it is not UTF-8 text", "-", ["{", new Uint8Array([0xc3])]],
  ["Cannot read standard input: it is longer than 16 MiB", "-", endless()],
  ["The arguments hold a number too large to be exact", '{"DeviceId":9007199254740993}'],
  ["The arguments hold a number too large to be exact", '{"a":[{"b":1e400}]}'],
];

test("call refuses arguments that cannot be sent, before it connects", async () => {
  for (const [sentence, source, input = []] of badInputs) {
    const result = await rcsp(["call", "X", source], { input });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("call - that waits for input leaves at Ctrl-C", async () => {
  const reading = Promise.withResolvers<void>();
  const io = testIo({
    stdin: {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          reading.resolve();
          return new Promise(() => {});
        },
      }),
    },
  });
  const ending = main(["call", "X", "-"], io);
  await reading.promise;
  io.interrupt();
  assertEquals([await ending, io.err], [130, ""]);
});

test("ping measures round trips, and shows their spread", async () => {
  await withDriver(async ({ connector, commands }) => {
    const piped = await rcsp(["ping", "-c", "3", "-i", "0"], { connector });
    const lines = piped.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.slice(0, 3).map(({ n }) => n), [1, 2, 3]);
    const { sent, answered, min, median, p99, max } = lines[3];
    assertEquals([sent, answered, lines.length, piped.code, piped.err], [3, 3, 4, 0, ""]);
    assert(0 <= min && min <= median && median <= p99 && p99 <= max);
    assertEquals(commands.map(([name]) => name), Array(3).fill("ListDevices"));
    const shown = await rcsp(["ping", "--count=2", "--interval=1ms"], {
      connector,
      terminal: true,
    });
    assertMatch(
      shown.out,
      /^1: [\d.]+ ms\n2: [\d.]+ ms\n2 sent, 2 answered\n.*min.*max.*\n.* ms\n$/,
    );
  });
});

test("ping shows the spread as exact as each time", async () => {
  let now = 0;
  const clock = {
    now: () => now += 10.483,
    set: setTimeout,
    clear: clearTimeout,
  } as unknown as Clock;
  const { out } = await rcsp(["ping", "-c", "1", "--simulate"], { clock });
  const { min, median, p99, max } = JSON.parse(out.trimEnd().split("\n").at(-1)!);
  assertEquals([min, median, p99, max], [10.483, 10.483, 10.483, 10.483]);
});

test("ping counts answers that are errors, and reports those that did not come", async () => {
  let count = 0;
  const server = await startScripted((command) =>
    ++count % 2 === 0 ? undefined : new Uint8Array(errorFrame(command.trackId))
  );
  const { connector } = server;
  const flags = ["-i", "0", "--timeout", "30"];
  const half = await rcsp(["ping", "-c", "2", ...flags], { connector });
  assertEquals([half.code, half.err], [0, "2: no answer within 30 ms\n"]);
  assertStringIncludes(half.out, '{"sent":2,"answered":1,');
  await server.close();
  const mute = await startScripted(() => undefined);
  const none = await rcsp(["ping", "-c", "1", ...flags], { connector: mute.connector });
  assertEquals([none.code, none.out], [4, '{"sent":1,"answered":0}\n']);
  await mute.close();
});

function errorFrame(TrackId: string): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify({ TrackId, Error: { Code: 1 } }));
  return new Uint8Array([0xdc, 1, 8, 3, body.length, 0, 0, 0, ...body]);
}

test("ping shows at Ctrl-C what there is", async () => {
  await withDriver(async ({ connector }) => {
    const io = testIo({ connector });
    const ending = main(["ping", "-c", "100", "-i", "1h"], io);
    await io.until(({ lines }) => lines.length === 1);
    io.interrupt();
    assertEquals([await ending, io.err], [0, ""]);
    assertStringIncludes(io.out, '{"sent":1,"answered":1,');
  });
});

test("ping --load keeps commands unanswered, and shows how many a second go through", async () => {
  await withDriver(async ({ connector, commands }) => {
    const args = ["ping", "--load", "64", "--for", "100ms"];
    const files = { d: '{"commands":{"heartbeat":"Ping"}}' };
    const { code, out, err } = await rcsp([...args, "--dialect", "d"], { connector, files });
    const { sent, answered, seconds, perSecond, min, median, p99, max } = JSON.parse(out);
    assertEquals([code, err, sent], [0, "", commands.length]);
    assert(answered >= 64 && answered === sent && seconds >= 0.1 && perSecond > 0);
    assert(0 < min && min <= median && median <= p99 && p99 <= max);
    assertEquals([...new Set(commands.map(([name]) => name))], ["Ping"]);
    const shown = await rcsp(args, { connector, terminal: true });
    assertMatch(shown.out, /^\d+ sent, \d+ answered, \d+ a second\n.*min.*\n.* ms\n$/);
  });
});

test("ping --load --simulate ends at Ctrl-C, and shows what there is", async () => {
  const io = testIo();
  const ending = main(["ping", "--simulate", "--load", "8", "--for", "60s"], io);
  setTimeout(() => io.interrupt(), 10);
  assertEquals([await ending, io.err], [0, ""]);
  assertStringIncludes(io.out, '"perSecond":');
});

test("ping --load fails where no answers come, and where the connection ends", async () => {
  const mute = await startScripted(() => undefined);
  const args = ["ping", "--load", "2", "--for", "5ms", "--timeout", "20"];
  const none = await rcsp(args, { connector: mute.connector });
  assertEquals([none.code, JSON.parse(none.out).answered], [4, 0]);
  await mute.close();
  let left = 100;
  const ends = await startScripted(({ trackId }, server) => {
    if (--left === 0) return "close";
    server.send(new Uint8Array(errorFrame(trackId)));
    return undefined;
  });
  assertEquals((await rcsp(["ping", "--load", "8"], { connector: ends.connector })).code, 3);
  await ends.close();
  assertFails(await rcsp(["ping", "--load", "2", "--count", "2"]), 2);
  assertFails(await rcsp(["ping", "--for", "2s"]), 2);
});
