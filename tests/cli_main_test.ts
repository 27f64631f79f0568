import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../cli/registry.ts";
import { CommandError } from "../src/errors.ts";
import { VERSION } from "../src/version.ts";
import { startScripted } from "./support/scripted_server.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { main } from "../cli/main.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { test } from "./support/test.ts";

const wrong: [sentence: string, ...args: string[]][] = [
  ["A command is missing: 'rcsp help' shows all"],
  ["A command is missing", "--json"],
  ["There is no command 'lsit': did you mean 'list'?", "lsit"],
  ["There is no command 'wat': did you mean 'watch'?", "wat"],
  ["There is no command 'xyzzy': 'rcsp help' shows all", "xyzzy"],
  ["There is no command '': 'rcsp help' shows all", ""],
  ["There is no command '\\u001b[2J'", "\x1b[2J"],
  ["There is no flag '--prot': did you mean '--port'?", "list", "--prot", "1"],
  ["There is no flag '--xyzzy': 'rcsp help list' shows all", "list", "--xyzzy"],
  ["There is no flag '-x': 'rcsp help list' shows all", "list", "-x"],
  ["There is no flag '--count'", "list", "--count", "1"],
  ["There is no use for 'extra' here: 'rcsp help list' shows how", "list", "extra"],
  ["<device> is missing: 'rcsp help info' shows how", "info"],
  ["<colour> is missing: 'rcsp help led' shows how", "led", "1"],
  ["<command> is missing", "call"],
  ["<shell> is missing", "completions"],
  ["'--port' needs a value: 'rcsp help list' shows how", "list", "--port"],
  ["'--host' needs a value", "list", "--host", "--json"],
  ["'--host' needs a value", "list", "--host="],
  ["'--port' must be a whole number from 1 to 65535, not 'abc'", "list", "--port", "abc"],
  ["'--port' must be a whole number from 1 to 65535, not '0'", "list", "--port", "0"],
  ["'--port' must be a whole number from 1 to 65535, not '65536'", "list", "--port=65536"],
  ["'--port' must be a whole number from 1 to 65535, not '-1'", "list", "--port", "-1"],
  ["'--port' must be a whole number from 1 to 65535, not '1e3'", "list", "--port", "1e3"],
  ["'--timeout' must be a time from 1 ms to 2147483647 ms, such as 500ms or 2s, not '0'"]
    .concat("list", "--timeout", "0") as [string, ...string[]],
  ["such as 500ms or 2s, not '2 s'", "list", "--timeout", "2 s"],
  ["not '9999h'", "list", "--timeout", "9999h"],
  ["'--json' takes no value", "list", "--json=yes"],
  ["'--count' must be a whole number from 1 to 1000000, not '0'", "ping", "--count", "0"],
  ["'-c' must be a whole number", "ping", "-c", "many"],
  ["'--interval' must be a time", "ping", "--interval", "-1s"],
  ["'--for' must be a time from 1 ms", "watch", "--for", "soon"],
  ["'nothing' is no topic: one is a publisher and a topic", "watch", "nothing", "--simulate"],
  ["Cannot use '--device' together with '--driver'", "watch", "--driver", "-d", "1"],
  ["Cannot use '--host' together with '--simulate'", "list", "--simulate", "--host", "x"],
  ["'reed' is no colour: did you mean 'red'?", "led", "1", "reed"],
  ["'1,2' is no colour: a colour is red, ", "led", "1", "1,2"],
  ["There is no script for 'zhs': did you mean 'zsh'?", "completions", "zhs"],
  ["There is no command 'leed': did you mean 'led'?", "help", "leed"],
  ["There is no use for 'info' here", "help", "led", "info"],
];

for (const [part, ...args] of wrong) {
  test(`rcsp ${JSON.stringify(args.join(" "))} is a usage error: ${part}`, async () => {
    const { connector } = memoryNetwork();
    const result = await rcsp(args, { connector });
    assertFails(result, 2);
    assertStringIncludes(result.err, part);
  });
}

test("a mistyped environment variable is called by its name", async () => {
  const result = await rcsp(["list"], { variables: { RCSP_PORT: "x" } });
  assertFails(result, 2);
  assertStringIncludes(result.err, "'RCSP_PORT' must be a whole number from 1 to 65535, not 'x'");
});

test("--version tells the version", async () => {
  assertEquals(await rcsp(["--version"]), { code: 0, out: `rcsp ${VERSION}\n`, err: "" });
});

test("--help, -h and help tell all commands, environment names and exit codes", async () => {
  const first = await rcsp(["--help"]);
  assertEquals([first.code, first.err], [0, ""]);
  for (const { name, summary } of COMMANDS) {
    assertMatch(first.out, new RegExp(`^  ${name} +${summary}$`, "m"));
    assert(summary.length < 68, summary);
  }
  for (const name of ["RCSP_HOST", "RCSP_PORT", "RCSP_TIMEOUT", "RCSP_DIALECT", "NO_COLOR"]) {
    assertStringIncludes(first.out, name);
  }
  assertStringIncludes(first.out, "\n  130  interrupted");
  assertEquals(await rcsp(["-h"]), first);
  assertEquals(await rcsp(["help"]), first);
});

test("the help of each command shows synopsis, flags with their defaults and an example", async () => {
  for (const { name, connects, examples } of COMMANDS) {
    const { code, out, err } = await rcsp(["help", name]);
    assertEquals([code, err], [0, ""]);
    assert(out.startsWith(`Usage: rcsp ${name} `), name);
    assert(examples.length > 0, name);
    for (const [line] of examples) assertStringIncludes(out, `\n  ${line}\n`);
    if (connects) assertMatch(out, /--port NUMBER +its port \(default: 45451; RCSP_PORT\)\n/);
    assertEquals((await rcsp([name, "--help"])).out, out);
    assertEquals((await rcsp([name, "-h", "surplus"])).out, out);
  }
});

test("help fits into 84 columns", async () => {
  for (const { name } of COMMANDS) {
    const { out } = await rcsp(["help", name]);
    for (const line of out.split("\n")) assert(line.length <= 84, `${name}: ${line}`);
  }
});

test("a driver that is not there ends with 3 and with what to do", async () => {
  const { connector } = memoryNetwork();
  for (const command of [["list"], ["info", "1"], ["led", "1", "red"], ["ping"], ["watch"]]) {
    const result = await rcsp(command, { connector });
    assertFails(result, 3);
    for (const part of ["localhost:45451", "Rokoko SDK", "--host", "--port", "--simulate"]) {
      assertStringIncludes(result.err, part);
    }
  }
});

test("an error of the driver ends with 1 and with what it said", async () => {
  await withDriver(async ({ simulator, connector }) => {
    simulator.server.handle("Fail", () => {
      throw new CommandError({ Code: "E\x1b[2J7", Message: `no\n${"x".repeat(10_000)}` });
    });
    const result = await rcsp(["call", "Fail"], { connector });
    assertFails(result, 1);
    assert(result.err.startsWith("rcsp: Fail failed [E\\u001b[2J7]: no\\u000axxx"), result.err);
    assert(result.err.length < 1_100);
  });
});

test("a driver that does not answer ends with 4 after --timeout", async () => {
  const server = await startScripted(() => undefined);
  const { connector } = server;
  for (const timeout of ["30", "30ms", "0.03s"]) {
    const result = await rcsp(["list", "--timeout", timeout], { connector });
    assertFails(result, 4);
    assertStringIncludes(result.err, "30 ms");
  }
  const result = await rcsp(["list"], { connector, variables: { RCSP_TIMEOUT: "20ms" } });
  assertFails(result, 4);
  await server.close();
});

test("a driver that breaks the protocol ends with 5", async () => {
  const server = await startScripted(() => new TextEncoder().encode("HTTP/1.1 400 Bad Request"));
  const result = await rcsp(["list"], { connector: server.connector });
  assertFails(result, 5);
  assertStringIncludes(result.err, "expected marker 0xdc");
  await server.close();
});

test("a driver that goes away in the middle ends with 3", async () => {
  const server = await startScripted(() => "close");
  assertFails(await rcsp(["list"], { connector: server.connector }), 3);
  await server.close();
});

test("what no command foresaw ends with 70 and one sentence", async () => {
  const io = testIo({
    connector: () => {
      throw new TypeError("x is not a function");
    },
  });
  assertEquals(await main(["list"], io), 70);
  assertEquals(io.err, "rcsp: This is a fault of rcsp: x is not a function\n");
});

test("Ctrl-C ends with 130 and without a word, whatever is waited for", async () => {
  const server = await startScripted(() => undefined);
  for (const args of [["list"], ["info", "1"], ["call", "X"], ["ping"]]) {
    const io = testIo({ connector: server.connector });
    const before = server.received.length;
    const ending = main(args, io);
    await server.until(before + 1);
    io.interrupt();
    assertEquals([await ending, io.err], [130, ""], args.join(" "));
  }
  await server.close();
  const early = testIo();
  early.interrupt();
  assertEquals(await main(["list", "--simulate"], early), 130);
});

test("Ctrl-C ends also while the connection is being opened", async () => {
  const io = testIo({ connector: () => new Promise(() => {}) });
  const ending = main(["list"], io);
  io.interrupt();
  assertEquals(await ending, 130);
});

test("a closed output is a quiet end", async () => {
  for (const args of [["list", "--simulate"], ["--help"], ["--version"], ["help", "led"]]) {
    const io = testIo();
    io.closeOutput();
    assertEquals([await main(args, io), io.err], [0, ""], args.join(" "));
  }
});

test("the flags of the connection go before their environment names", async () => {
  const asked: string[] = [];
  const { connector } = memoryNetwork();
  const options = {
    variables: { RCSP_HOST: "from.env", RCSP_PORT: "1234", RCSP_TIMEOUT: "" },
    connector: ((address, options) => {
      asked.push(`${address.host}:${address.port}`);
      return connector(address, options);
    }) as typeof connector,
  };
  await rcsp(["list"], options);
  await rcsp(["list", "--host", "flag", "--port=99"], options);
  await rcsp(["--host", "before", "list"], options);
  assertEquals(asked, ["from.env:1234", "flag:99", "before:1234"]);
  assertEquals((await rcsp(["list", "--simulate"], options)).code, 0);
  assertEquals(asked.length, 3);
});

const dialects: [content: string, sentence: string | undefined][] = [
  ['{"commands":{"heartbeat":"Ping"}}', undefined],
  ["{", "Cannot read 'd.json' as JSON"],
  ["[]", "Cannot use dialect file 'd.json': 'dialect' must be an object"],
  ['{"wrong":{}}', "'dialect' has no 'wrong'"],
  ['{"trackId":1}', "'dialect.trackId' must be a string"],
  ['"\ufffd', "Cannot read 'd.json' as JSON"],
];

test("a dialect file is taken, and told what is wrong with it", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    simulator.server.handle("Ping", () => ({}));
    for (const [content, sentence] of dialects) {
      const options = { connector, files: { "d.json": content } };
      const result = await rcsp(["ping", "-c", "1", "--dialect", "d.json"], options);
      if (sentence === undefined) assertEquals([result.code, result.err], [0, ""]);
      else {
        assertFails(result, 2);
        assertStringIncludes(result.err, sentence);
      }
    }
    assertEquals(commands.map(([name]) => name), ["Ping"]);
    const variables = { RCSP_DIALECT: "no.json" };
    const missing = await rcsp(["list"], { connector, variables });
    assertFails(missing, 2);
    assertStringIncludes(missing.err, "Cannot read 'no.json': no such file");
  });
});
