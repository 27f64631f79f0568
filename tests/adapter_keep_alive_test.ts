import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { connect } from "../mod.ts";
import { startSimulator } from "../simulator.ts";
import { type Adapter, networkAdapters, toAdapter, withJoined } from "./support/adapters.ts";
import { until } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

/** Only Linux shows the timers of a socket to every user. */
const SHOWN = process.platform === "linux";
const KEEP_ALIVE_TIMER = "02";
const TICKS_PER_SECOND = 100;

/** Seconds until the next probe of the socket between two ports of 127.0.0.1, if it sends any. */
async function nextProbe(local: number, remote: number): Promise<number | undefined> {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const ends = [`0100007F:${hex(local)}`, `0100007F:${hex(remote)}`];
  for (;;) {
    const table = await readFile("/proc/self/net/tcp", "utf8");
    const row = table.split("\n").map((line) => line.trim().split(/\s+/))
      .find(([, from, to]) => from === ends[0] && to === ends[1]);
    assert(row !== undefined, "the socket is in the table");
    const [timer, ticks = ""] = row[5]!.split(":");
    if (timer === KEEP_ALIVE_TIMER) return parseInt(ticks, 16) / TICKS_PER_SECOND;
    if (timer === "00") return undefined;
  }
}

function portOf(remote: string): number {
  return Number(remote.split(":").at(-1));
}

function withKeepAlive({ name, connector, listen }: Adapter, keepAlive: false | number): Adapter {
  return toAdapter(name, {
    connector: (address, options) => connector(address, { ...options, keepAlive }),
    listen: (options, onSocket) => listen({ ...options, keepAlive }, onSocket),
  });
}

/** What a pair of sockets, the client's and the server's, do. */
async function probesOf(adapter: Adapter): Promise<(number | undefined)[]> {
  let probes: (number | undefined)[] = [];
  await withJoined(adapter, async ({ client, server }) => {
    const [here, there] = [portOf(server.remote), portOf(client.remote)];
    probes = [await nextProbe(here, there), await nextProbe(there, here)];
  });
  return probes;
}

for (const adapter of networkAdapters) {
  // Deno.connect and Deno.listen support on and off only, no delay.
  const hasDelay = adapter.name !== "deno";

  test(`${adapter.name}: idle sockets of both sides send keep-alive probes`, async () => {
    if (!SHOWN) return;
    for (const seconds of await probesOf(adapter)) {
      assert(seconds !== undefined, "no probe is due");
      if (hasDelay) assert(seconds <= 10, `the next probe is due in ${seconds} s`);
    }
  });

  test(`${adapter.name}: 'keepAlive' is the idle time before the first probe`, async () => {
    if (!SHOWN) return;
    for (const seconds of await probesOf(withKeepAlive(adapter, 3_000_000))) {
      assert(seconds !== undefined, "no probe is due");
      if (hasDelay) assert(seconds > 2_000 && seconds <= 3_000, `due in ${seconds} s`);
    }
  });

  test(`${adapter.name}: with 'keepAlive' false no probe is sent`, async () => {
    if (!SHOWN) return;
    assertEquals(await probesOf(withKeepAlive(adapter, false)), [undefined, undefined]);
  });

  for (
    const wrong of [0, 999, 1_000.5, NaN, Infinity, 32_767_001, true as never, "1000" as never]
  ) {
    test(`${adapter.name}: 'keepAlive' ${wrong} rejects with a RangeError, and opens nothing`, async () => {
      const { connector, listen } = withKeepAlive(adapter, wrong);
      await assertRejects(() => listen({}, () => {}), RangeError, "'keepAlive' must be");
      await assertRejects(
        () => connector({ host: "127.0.0.1", port: 1 }),
        RangeError,
        "'keepAlive' must be",
      );
    });
  }
}

test("connect() passes 'keepAlive' to the connector for every connection", async () => {
  const [{ connector }] = networkAdapters as [Adapter];
  const given: unknown[] = [];
  await using simulator = await startSimulator({ port: 0 });
  for (const keepAlive of [undefined, false, 60_000] as const) {
    const rcsp = await connect({
      ...simulator.address,
      keepAlive,
      reconnect: { initialDelay: 1 },
      connector: (address, options) => {
        given.push(options?.keepAlive);
        return connector(address, options);
      },
    });
    if (keepAlive === 60_000) {
      simulator.server.handle("Leave", (_, { client }) => client.close());
      await assertRejects(() => rcsp.call("Leave"));
      await until(() => given.length === 4);
    }
    await rcsp.close();
  }
  assertEquals(given, [undefined, false, 60_000, 60_000]);
});

test("connect() rejects an invalid 'keepAlive' with a RangeError, and opens nothing", async () => {
  let opened = 0;
  const connector = (): Promise<never> => {
    opened++;
    return new Promise(() => {});
  };
  await assertRejects(() => connect({ connector, keepAlive: 5 }), RangeError, "'keepAlive'");
  assertStrictEquals(opened, 0);
});
