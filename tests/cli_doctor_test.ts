import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkCreatable } from "../cli/process/process_io.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { ConnectionError } from "../src/errors.ts";
import type { Connector } from "../src/socket/socket.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { echo, frame, startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

interface Finding {
  readonly result: string;
  readonly check: string;
  readonly finding: string;
}

/** Accepts clients, and sends nothing whatever comes. */
async function startSilent() {
  const { connector, listen } = memoryNetwork();
  const listener = await listen({ port: 45451 }, async (socket) => {
    while (await socket.read().catch(() => null) !== null);
    socket.close();
  }, () => {});
  return { connector, listener };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function findings(out: string): Finding[] {
  return out.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

test("doctor without a driver reports it once, and what to do next", async () => {
  const { connector } = memoryNetwork();
  const { code, out, err } = await rcsp(["doctor"], { connector });
  assertEquals([code, err], [3, "rcsp: No driver was found at localhost:45451\n"]);
  const found = findings(out);
  assertEquals(
    found.filter(({ result }) => result === "fail").map(({ finding }) =>
      /to (\S+): connection refused/.exec(finding)?.[1]
    ),
    ["localhost:45451"],
  );
  const next = found.filter(({ check }) => check === "next").map(({ finding }) => finding);
  for (const part of ["Rokoko SDK", "--port", "--host", "firewall", "rcsp serve", "--simulate"]) {
    assert(next.some((step) => step.includes(part)), part);
  }
  const shown = await rcsp(["doctor"], {
    connector,
    terminal: true,
    columns: 200,
    variables: { NO_COLOR: "1" },
  });
  assertEquals(shown.out.split("\n").slice(0, -1).length, found.length);
  assertMatch(shown.out, /^fail {2}connection: Cannot connect to localhost:45451/);
});

const reasons: [code: ConstructorParameters<typeof ConnectionError>[0], step: string][] = [
  ["host-not-found", "Is the name of --host right?"],
  ["host-unreachable", "does its firewall let TCP port 4 through?"],
  ["permission-denied", "deno run -N"],
  ["connection-refused", "RCSP's own is 45451"],
];

test("doctor has advice for each way that a connection fails", async () => {
  for (const [code, step] of reasons) {
    const connector: Connector = () => Promise.reject(new ConnectionError(code, "It failed"));
    const result = await rcsp(["doctor", "--host", "h", "--port", "4"], { connector });
    assertEquals(result.code, 3);
    assertEquals(findings(result.out).filter(({ result }) => result === "fail").length, 1);
    assertStringIncludes(result.out, step);
    // Without its host there is no motion stream to look for.
    const checks = findings(result.out).map(({ check }) => check);
    assertEquals(checks.includes("hands"), !code.startsWith("host-"));
    assertEquals(result.out.includes("Rokoko SDK"), code !== "host-not-found");
  }
  const { connector } = memoryNetwork();
  const variables = { RCSP_HOST: "h", RCSP_PORT: "7" };
  const set = await rcsp(["doctor", "--port", "4"], { connector, variables });
  assertStringIncludes(set.out, "RCSP_HOST is set to h: is it meant?");
  assertEquals(set.out.includes("RCSP_PORT is set"), false);
});

test("doctor stops waiting for a connection that does not open, and at Ctrl-C", async () => {
  const hangs: Connector = (_address, options) =>
    new Promise((_resolve, reject) => {
      const { signal } = options!;
      signal!.addEventListener("abort", () => reject(signal!.reason));
    });
  const late = await rcsp(["doctor", "--host", "h", "--timeout", "10"], { connector: hangs });
  assertEquals([late.code, late.err], [4, "rcsp: No driver was found at h:45451\n"]);
  assertStringIncludes(late.out, "No answer from h:45451 within 10 ms");
  const io = testIo({ connector: hangs });
  const ending = main(["doctor", "--host", "h"], io);
  io.interrupt();
  assertEquals([await ending, io.err], [130, ""]);
});

test("doctor sends a driver only what is harmless, and reports what it answered", async () => {
  await withDriver(async ({ connector, commands }) => {
    const { code, out, err } = await rcsp(["doctor"], { connector });
    assertEquals([code, err], [0, ""]);
    assertEquals(findings(out).map(({ result, check }) => `${result} ${check}`), [
      "ok connection",
      "ok ListDevices",
      "ok GetDeviceInfo",
      "ok unknown command",
      "ok round trip",
      "info hands",
      "info raw stream",
    ]);
    assertEquals([...new Set(commands.map(([name]) => name))], [
      "ListDevices",
      "GetDeviceInfo",
      "RcspNoSuchCommand",
    ]);
  });
  assertEquals((await rcsp(["doctor", "--simulate"])).code, 0);
});

test("doctor warns of what is odd", async () => {
  await withDriver(async ({ connector }) => {
    const { code, out } = await rcsp(["doctor"], { connector });
    assertEquals(code, 0);
    assertStringIncludes(out, '"warn","check":"ListDevices","finding":"no device is connected"');
  }, { devices: [] });
  const server = await startScripted(echo);
  const { code, out } = await rcsp(["doctor"], { connector: server.connector });
  assertEquals(code, 0);
  assertStringIncludes(out, "answered with ok, an error was expected");
  await server.close();
});

test("doctor fails where nothing is answered, and where it is not RCSP", async () => {
  const silent = await startSilent();
  const late = await rcsp(["doctor", "--timeout", "20"], silent);
  const sentence = "rcsp: What listens at localhost:45451 does not answer as a driver should\n";
  assertEquals([late.code, late.err], [4, sentence]);
  assertEquals(
    findings(late.out).slice(1, 2).map(({ result, check, finding }) => [result, check, finding]),
    [["fail", "ListDevices", "it accepts but sends nothing"]],
  );
  const learned = await rcsp(["doctor", "--learn", "--timeout", "20"], silent);
  assertEquals([learned.code, learned.err], [4, sentence]);
  assertStringIncludes(late.out, '"fail","check":"ListDevices"');
  await silent.listener.close();
  const http = await startScripted(() => new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
  const foreign = await rcsp(["doctor"], { connector: http.connector });
  assertEquals(foreign.code, 5);
  assertStringIncludes(
    foreign.out,
    "it is a web server (HTTP), which sent 'HTTP/1.1 400 Bad Request'",
  );
  assertEquals(foreign.out.includes("--learn"), false);
  assertEquals(findings(foreign.out).filter(({ result }) => result === "fail").length, 1);
  await http.close();
  const odd = await startScripted(() => frame(2, { Response: 5 }));
  const learnable = await rcsp(["doctor"], { connector: odd.connector });
  assertEquals(learnable.code, 5);
  assertStringIncludes(learnable.out, "'rcsp doctor --learn' finds out how this driver differs");
  await odd.close();
});

const rgmp = encodeDefinition({ device_id: 1, groups: [] });
const services: [name: string, sends: Uint8Array | undefined, finding: string][] = [
  ["SSH", utf8("SSH-2.0-OpenSSH_9.2p1 x\r\n"), "it is an SSH server, which sent 'SSH-2.0-OpenSSH"],
  [
    "HTTP",
    utf8("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "it is a web server (HTTP), which sent 'HTTP/1.1",
  ],
  ["TLS", Uint8Array.of(0x15, 3, 3, 0, 2, 2, 22), "it is a TLS server"],
  ["RGMP", rgmp, "it is a motion stream (RGMP), not RCSP"],
  [
    "anything else",
    utf8("220 \x1b[2J ready\n and more"),
    "it is not RCSP: it sent '220 \\u001b[2J ready'",
  ],
  ["an end", undefined, "it closes the connection without an answer"],
];

test("doctor names what listens by the bytes that it sends, once", async () => {
  for (const [name, sends, finding] of services) {
    const { connector, listen } = memoryNetwork();
    const listener = await listen({ port: 45451 }, async (socket) => {
      if (sends !== undefined) await socket.write(sends).catch(() => {});
      await socket.read().catch(() => null);
      socket.close();
    }, () => {});
    for (const flags of [[], ["--learn"]]) {
      const { code, out, err } = await rcsp(["doctor", ...flags], { connector });
      assertEquals(code, sends === undefined ? 3 : 5, name);
      const fails = findings(out).filter(({ result }) => result === "fail");
      assertEquals(fails.length, 1, name);
      assertStringIncludes(fails[0]!.finding, finding);
      assertEquals(
        err,
        "rcsp: What listens at localhost:45451 does not answer as a driver should\n",
      );
    }
    await listener.close();
  }
});

test("doctor --learn --verbose shows the frames", async () => {
  const { code, err } = await rcsp(["doctor", "--learn", "--for", "0", "--simulate", "--verbose"]);
  assertEquals(code, 0);
  assertMatch(err, /^-> command \{"Command":"ListDevices",.*\n<- ok \{"TrackId":.*\n/);
  assertStringIncludes(err, '-> command {"Command":"DeviceUnsubscribe"');
});

test("doctor --learn --write refuses a file that cannot be created before anything is asked", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  const refused = async (path: string, ...flags: string[]): Promise<string> => {
    const args = ["doctor", "--learn", "--simulate", "--for", "0", "--write", path, ...flags];
    const result = await rcsp(args, { checkCreatable });
    assertFails(result, 2);
    return result.err;
  };
  try {
    const path = join(folder, "d.json");
    const missing = await refused(join(folder, "no", "d.json"));
    assertStringIncludes(missing, "its folder does not exist");
    assertStringIncludes(await refused(folder, "--force"), "it is a folder");
    await writeFile(path, "{}");
    assertStringIncludes(await refused(path), "it exists. Replace it with --force.");
    assertStringIncludes(await refused(join(path, "x")), "its folder is a file");
    // Checking creates and changes nothing.
    await checkCreatable(join(folder, "new"), { exclusive: true });
    await checkCreatable(path);
    assertEquals([await readdir(folder), await readFile(path, "utf8")], [["d.json"], "{}"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const wrong: [sentence: string, ...args: string[]][] = [
  ["'--write' needs '--learn'", "--write", "x"],
  ["'--for' needs '--learn'", "--for", "1s"],
  ["'--force' needs '--write'", "--learn", "--force"],
  ["Cannot use '--port' together with '--simulate'", "--simulate", "--port", "1"],
];

test("doctor refuses what does not go together", async () => {
  for (const [sentence, ...args] of wrong) {
    const result = await rcsp(["doctor", ...args]);
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("doctor names the service whose port was given", async () => {
  const { connector } = memoryNetwork();
  const ports = [["22", "SSH"], ["12276", "RGMP"], ["14053", "Rokoko Studio"]] as const;
  for (const [port, name] of ports) {
    const { out } = await rcsp(["doctor", "--port", port], { connector });
    assertMatch(out, new RegExp(`${port} is (a|the) port of ${name}`));
  }
});

test("doctor --learn --write looks at the file first, and always prints the dialect", async () => {
  const kept = await rcsp(["doctor", "--learn", "--simulate", "--write", "d.json"], {
    files: { "d.json": "{}" },
  });
  assertFails(kept, 2);
  assertStringIncludes(kept.err, "Cannot create 'd.json': it exists. Replace it with --force.");
  await withDriver(async ({ connector }) => {
    const files = { "d.json": '{"event":{"topic":"Mine"}}' };
    const args = ["doctor", "--learn", "--for", "0", "--dialect", "d.json", "--write", "e.json"];
    const io = testIo({ connector, files, terminal: true });
    assertEquals(await main(args, io), 0);
    assertEquals(JSON.parse(String(io.files.get("e.json"))), { event: { topic: "Mine" } });
    assertMatch(
      io.out,
      /\nThe dialect, which is what differs:\n\{\n {2}"event": \{\n {4}"topic": "Mine"\n/,
    );
  });
});
