import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMON_FLAGS } from "../cli/command_line/flags.ts";
import { COMMANDS } from "../cli/registry.ts";
import { CommandError, ConnectionError } from "../src/errors.ts";
import { VERSION } from "../src/version.ts";
import { startScripted } from "./support/scripted_server.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { main } from "../cli/main.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { test } from "./support/test.ts";

const wrong: [sentence: string, ...args: string[]][] = [
  ["No command given. Run 'rcsp help'.", "--json"],
  ["Unknown flag '--verison'. Did you mean '--version'?", "--verison"],
  ["Unknown flag '--nothing'. Run 'rcsp help'.", "--json", "--nothing"],
  ["Unknown flag '-q'. Run 'rcsp help'.", "-q"],
  ["Unknown command 'lsit'. Did you mean 'list'?", "lsit"],
  ["Unknown command 'wat'. Did you mean 'watch'?", "wat"],
  ["Unknown command 'xyzzy'. Run 'rcsp help'.", "xyzzy"],
  ["Unknown command ''. Run 'rcsp help'.", ""],
  ["Unknown command '\\u001b[2J'", "\x1b[2J"],
  ["Unknown flag '--prot'. Did you mean '--port'?", "list", "--prot", "1"],
  ["Unknown flag '--xyzzy'. Run 'rcsp help list'.", "list", "--xyzzy"],
  ["Unknown flag '-x'. Run 'rcsp help list'.", "list", "-x"],
  ["Unknown flag '--count'", "list", "--count", "1"],
  ["Unexpected argument 'extra'. Run 'rcsp help list'.", "list", "extra"],
  ["Missing <device>. Run 'rcsp help led'.", "led"],
  ["Missing <color>. Run 'rcsp help led'.", "led", "1"],
  ["Missing <command>", "call"],
  ["Missing <shell>", "completions"],
  ["'--port' needs a value. Run 'rcsp help list'.", "list", "--port"],
  ["'--host' needs a value", "list", "--host", "--json"],
  [
    "Invalid '--host' 'h:45451': expected a name or an address; a port has a flag of its own",
    ...["list", "--host", "h:45451"],
  ],
  ["Invalid '--host' 'http://h'", "serve", "--host", "http://h"],
  ["Invalid '--host' '[::1'", "hands", "--host", "[::1"],
  ["Invalid '--driver-host' 'a b'", "ui", "--driver-host", "a b"],
  ["Invalid '--listen-host' '[::1]:1'", "share", "--listen-host", "[::1]:1"],
  ["<device> is empty. Run 'rcsp help led'.", "led", "", "red"],
  ["<argument> is empty. Run 'rcsp help call'.", "call", "X", "a=1", ""],
  ["expected an integer from 1\n", "watch", "--count", "1.5"],
  ["'--host' needs a value", "list", "--host="],
  ["Invalid '--port' 'abc': expected an integer from 1 to 65535", "list", "--port", "abc"],
  ["Invalid '--port' '0': expected an integer from 1 to 65535", "list", "--port", "0"],
  ["Invalid '--port' '65536': expected an integer from 1 to 65535", "list", "--port=65536"],
  ["Invalid '--port' '-1': expected an integer from 1 to 65535", "list", "--port", "-1"],
  ["Invalid '--port' '1e3': expected an integer from 1 to 65535", "list", "--port", "1e3"],
  [
    "Invalid '--timeout' '0': expected a longer time, such as 500ms or 2s",
    "list",
    "--timeout",
    "0",
  ],
  ["Invalid '--timeout' '2 s': expected a time, such as 500ms or 2s", "list", "--timeout", "2 s"],
  ["expected a shorter time", "list", "--timeout", "9999h"],
  ["'--json' takes no value", "list", "--json=yes"],
  ["Invalid '--count' '0': expected an integer from 1 to 1000000", "ping", "--count", "0"],
  ["Invalid '-c' 'many': expected an integer", "ping", "-c", "many"],
  ["Invalid '--interval' '-1s': expected a time", "ping", "--interval", "-1s"],
  ["Invalid '--for' 'soon': expected a time, such as 500ms or 2s", "watch", "--for", "soon"],
  ["Invalid topic 'nothing': expected publisher/topic", "watch", "nothing", "--simulate"],
  ["Cannot use '--device' together with '--driver'", "watch", "--driver", "-d", "1"],
  ["Cannot use '--host' together with '--simulate'", "list", "--simulate", "--host", "x"],
  ["Invalid color 'reed'. Did you mean 'red'?", "led", "1", "reed"],
  ["Invalid color '1,2'. Expected red, ", "led", "1", "1,2"],
  ["No completion script for 'zhs'. Did you mean 'zsh'?", "completions", "zhs"],
  ["Unknown command 'leed'. Did you mean 'led'?", "help", "leed"],
  ["Unexpected argument 'info'", "help", "led", "info"],
];

for (const [part, ...args] of wrong) {
  test(`rcsp ${JSON.stringify(args.join(" "))} is a usage error: ${part}`, async () => {
    const { connector } = memoryNetwork();
    const result = await rcsp(args, { connector });
    assertFails(result, 2);
    assertStringIncludes(result.err, part);
  });
}

test("a host is a name, or an address of any kind", async () => {
  for (
    const host of ["h", "a-b.example", "127.0.0.1", "::1", "[::1]", "fe80::1%eth0", "::f:1.2.3.4"]
  ) {
    const { connector } = memoryNetwork();
    assertFails(await rcsp(["list", "--host", host], { connector }), 3);
  }
});

test("a mistyped environment variable is called by its name", async () => {
  const result = await rcsp(["list"], { variables: { RCSP_PORT: "x" } });
  assertFails(result, 2);
  assertStringIncludes(
    result.err,
    "Invalid 'RCSP_PORT' 'x': expected an integer from 1 to 65535",
  );
});

test("-v, -V, --version and version print the version", async () => {
  for (const word of ["--version", "-v", "-V", "version"]) {
    assertEquals(await rcsp([word]), { code: 0, out: `rcsp ${VERSION}\n`, err: "" }, word);
  }
});

test("version is a command: it has help, and takes no arguments", async () => {
  for (const args of [["help", "version"], ["version", "--help"]]) {
    assertStringIncludes((await rcsp(args)).out, "Usage: rcsp version [flags]");
  }
  const { code, err } = await rcsp(["version", "extra"]);
  assertEquals([code, err], [
    2,
    "rcsp: Unexpected argument 'extra'. Run 'rcsp help version'.\n",
  ]);
});

test("rcsp alone, --help, -h and help show all commands, common flags and exit codes", async () => {
  const first = await rcsp([]);
  assertEquals([first.code, first.err], [0, ""]);
  for (const { name, summary } of COMMANDS) {
    assertMatch(first.out, new RegExp(`^  ${name} +${summary}$`, "m"));
    assert(summary.length < 68, summary);
  }
  for (const name of ["RCSP_HOST", "RCSP_PORT", "RCSP_TIMEOUT", "RCSP_DIALECT", "NO_COLOR"]) {
    assertStringIncludes(first.out, name);
  }
  assertMatch(first.out, /--port NUMBER +the port of the driver \(default: 45451; RCSP_PORT\)\n/);
  assertStringIncludes(first.out, "\n  130  interrupted");
  for (const args of [["--help"], ["-h"], ["help"], ["help", "--no-color"]]) {
    assertEquals(await rcsp(args), first);
  }
});

test("the help of each command shows synopsis, its own flags and an example", async () => {
  for (const { name, connects, flags = [], examples } of COMMANDS) {
    const { code, out, err } = await rcsp(["help", name]);
    assertEquals([code, err], [0, ""]);
    assert(out.startsWith(`Usage: rcsp ${name} `), name);
    assert(examples.length > 0, name);
    for (const [line] of examples) assertStringIncludes(unbroken(out), `\n  ${line}\n`);
    for (const flag of flags) {
      const isCommon = COMMON_FLAGS.some(({ name, about }) =>
        name === flag.name && about === flag.about
      );
      if (!isCommon) assertMatch(out, new RegExp(`^  (-., )?--${flag.name}[ [\n]`, "m"));
    }
    if (connects) assertMatch(out, /^Common flags: --host, --port, .*\n.*see 'rcsp help'\)$/m);
    assertEquals(out.split("--no-color").length, 2, name);
    assertEquals((await rcsp([name, "--help"])).out, out);
    assertEquals((await rcsp([name, "-h", "surplus"])).out, out);
  }
});

test("flags that commands share are explained in 'rcsp help' alone", async () => {
  const shared: [command: string, names: string][] = [
    ["hands", "--host, --timeout, --wait, --simulate, --json, --no-color, --help"],
    ["ui", "--timeout, --dialect, --verbose, --no-color, --help"],
    ["serve", "--dialect, --no-color, --help"],
  ];
  for (const [command, names] of shared) {
    const { out } = await rcsp(["help", command]);
    assertStringIncludes(out.replace(/\s+/g, " "), `Common flags: ${names} (see 'rcsp help')`);
    assertEquals(out.includes("--dialect FILE"), false);
  }
});

test("help fits the terminal, no word of it is broken, and examples can be pasted", async () => {
  for (const args of [[], ...COMMANDS.map(({ name }) => ["help", name])]) {
    const options = { terminal: true, variables: { NO_COLOR: "1" } };
    const wide = await rcsp(args, { ...options, columns: 200 });
    for (const columns of [40, 80, 120]) {
      const { out } = await rcsp(args, { ...options, columns });
      for (const line of out.split("\n")) assert(line.length <= columns, `${args}: ${line}`);
      assertEquals(letters(unbroken(out)), letters(unbroken(wide.out)));
    }
  }
});

/** Help with its continued examples in one line each. */
function unbroken(help: string): string {
  return help.replaceAll(" \\\n    ", " ");
}

/** Its words, without the marks of comments, which each line of one has. */
function letters(help: string): string[] {
  return help.split(/\s+/).filter((word) => word !== "#");
}

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

test("--wait waits for the driver, and shows it once", async () => {
  for (const command of [["list"], ["doctor"]]) {
    await withDriver(async ({ connector }) => {
      let refusals = 3;
      const late: typeof connector = (address, options) =>
        refusals-- > 0
          ? Promise.reject(new ConnectionError("connection-refused", "Nobody is there"))
          : connector(address, options);
      const clock = {
        now: () => 0,
        set: (action: () => void) => queueMicrotask(action),
        clear() {},
      };
      const instant = {
        ...clock,
        set: (action: () => void, ms: number) => ms === 500 && clock.set(action),
      };
      const { code, err } = await rcsp([...command, "--wait"], { connector: late, clock: instant });
      assertEquals([code, err], [0, "Nobody is there. Waiting for the driver; Ctrl-C ends.\n"]);
    });
  }
  const io = testIo({ connector: memoryNetwork().connector });
  const ending = main(["list", "--wait"], io);
  await io.until(({ err }) => err.includes("Waiting for the driver"));
  io.interrupt();
  assertEquals(await ending, 130);
  const connector = () => Promise.reject(new ConnectionError("permission-denied", "No"));
  assertEquals((await rcsp(["list", "--wait"], { connector })).code, 3);
});

test("--verbose shows the frames on stderr, escaped", async () => {
  for (const command of [["call", "Echo", "A=\x1b"], ["doctor"]]) {
    await withDriver(async ({ simulator, connector }) => {
      simulator.server.handle("Echo", ({ Arguments }) => ({ Arguments }));
      const { code, err } = await rcsp([...command, "--verbose"], { connector });
      assertEquals(code, 0);
      assertMatch(err, /^-> command \{"Command":"\w+",.*\n<- ok \{"TrackId":.*\n/);
      assertEquals(err.includes("\x1b"), false);
    });
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
  assertStringIncludes(result.err, ": 'rcsp doctor' finds out what listens there\n");
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
  assertEquals(io.err, "rcsp: Internal error (please report it): x is not a function\n");
});

test("Ctrl-C ends with 130 and without a message, whatever is pending", async () => {
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

test("a dialect file is read, and its errors are reported", async () => {
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
