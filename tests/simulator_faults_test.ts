import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { connect, type ConnectOptions, type RcspClient } from "../mod.ts";
import { ConnectionError, ProtocolError, RcspError, TimeoutError } from "../src/errors.ts";
import { type Faults, memoryNetwork, Simulator, type SimulatorOptions } from "../simulator.ts";
import { test } from "./support/test.ts";

interface Room {
  simulator: Simulator;
  join(options?: ConnectOptions): Promise<RcspClient>;
}

async function withSimulator(
  options: SimulatorOptions,
  use: (room: Room) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator(options);
  const clients: RcspClient[] = [];
  await simulator.serve(listen);
  const join = async (more: ConnectOptions = {}): Promise<RcspClient> => {
    const client = await connect({ ...simulator.address, connector, reconnect: false, ...more });
    clients.push(client);
    return client;
  };
  try {
    await use({ simulator, join });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await simulator.close();
  }
}

/** Outcomes of five concurrent calls. */
function converse(rcsp: RcspClient): Promise<PromiseSettledResult<unknown>[]> {
  const led = { LedId: "RingLed", Red: 1, Green: 2, Blue: 3 };
  return Promise.allSettled([
    rcsp.listDevices(),
    rcsp.getDeviceInfo(1),
    rcsp.setColorLed(1, led),
    rcsp.call("Nothing").catch((error) => {
      if (error?.code !== "command-failed") throw error;
    }),
    rcsp.getDeviceInfo(4),
  ]);
}

function failures(results: PromiseSettledResult<unknown>[]): RcspError[] {
  return results.flatMap((result) => {
    if (result.status === "fulfilled") return [];
    assertInstanceOf(result.reason, RcspError);
    return [result.reason];
  });
}

/** The offset at which each response ends. */
async function ends(seed?: number): Promise<number[]> {
  const found: number[] = [];
  await withSimulator({ seed }, async ({ join }) => {
    let received = 0;
    const rcsp = await join({
      onFrame: ({ direction, payload }) => {
        if (direction === "in") found.push(received += 8 + payload.length);
      },
    });
    assertEquals(failures(await converse(rcsp)), []);
  });
  return found;
}

test("with a cut after any byte, the responses before it arrive and all other calls reject", async () => {
  const whole = await ends();
  assertStrictEquals(whole.length, 5);
  const total = whole.at(-1) ?? 0;
  for (let cutAfter = 0; cutAfter < total; cutAfter++) {
    await withSimulator({ faults: { cutAfter } }, async ({ join }) => {
      const rcsp = await join();
      const results = await converse(rcsp);
      const arrived = whole.filter((end) => end <= cutAfter).length;
      assertEquals(
        results.map(({ status }) => status),
        results.map((_, i) => i < arrived ? "fulfilled" : "rejected"),
        `cut after ${cutAfter}`,
      );
      const between = cutAfter === 0 || whole.includes(cutAfter);
      for (const error of failures(results)) {
        assertInstanceOf(error, between ? ConnectionError : RcspError);
        if (error instanceof ConnectionError) assert(error.sent);
        else assertStrictEquals(error.code, "cut-frame");
      }
      const cause = await rcsp.closed;
      if (between) assertInstanceOf(cause, ConnectionError);
      else assertInstanceOf(cause, ProtocolError);
    });
  }
});

test("garbage after any byte leads to typed errors, and nothing hangs", async () => {
  // Random garbage may equal the byte that it replaces, but not with this seed.
  const whole = await ends(3);
  const total = whole.at(-1) ?? 0;
  const codes = new Set<string>();
  for (let garbageAfter = 0; garbageAfter < total; garbageAfter++) {
    await withSimulator({ seed: 3, faults: { garbageAfter } }, async ({ join }) => {
      const rcsp = await join({ commandTimeout: 200 });
      const results = await converse(rcsp);
      const arrived = whole.filter((end) => end <= garbageAfter).length;
      for (const [i, { status }] of results.entries()) {
        if (i < arrived) assertStrictEquals(status, "fulfilled", `garbage after ${garbageAfter}`);
      }
      const errors = failures(results);
      assert(errors.length > 0, `no call noticed garbage after ${garbageAfter}`);
      for (const { code } of errors) codes.add(code);
    });
  }
  for (const code of ["bad-marker", "limit-reached"]) assert(codes.has(code), code);
});

test("with silence after some bytes, pending calls time out and the connection stays open", () =>
  withSimulator({ faults: { silentAfter: 500 } }, async ({ simulator, join }) => {
    const rcsp = await join({ commandTimeout: 100 });
    assertStrictEquals((await rcsp.listDevices()).length, 4);
    const errors = failures(await converse(rcsp));
    assert(errors.length > 0);
    for (const error of errors) assertInstanceOf(error, TimeoutError);
    assertStrictEquals(simulator.server.clients, 1);
    // Another connection counts its own bytes.
    assertStrictEquals((await (await join()).listDevices()).length, 4);
  }));

const harmless: Faults[] = [
  { slice: 1 },
  { slice: 7 },
  { slice: 1e9 },
  { pause: 1 },
  { slice: 200, pause: 1 },
  { cutAfter: 1e9, garbageAfter: 1e9, silentAfter: 1e9 },
  { slice: 0 },
  { slice: -1 },
  { slice: NaN },
  { slice: 1.5 },
  { slice: 3, garbageAfter: 1e6 + 0.5 },
];

for (const faults of harmless) {
  test(`with ${JSON.stringify(faults)} every call gets its response`, () =>
    withSimulator({ faults }, async ({ join }) => {
      const rcsp = await join();
      assertEquals(failures(await converse(rcsp)), []);
      const presses = rcsp.buttonPresses(1);
      await presses.ready;
      await presses.return();
    }));
}

test("faults that change at run time apply to the next bytes", () =>
  withSimulator({}, async ({ simulator, join }) => {
    // Only the silence may cause a timeout, however slow the machine is.
    const rcsp = await join({ commandTimeout: 2_000 });
    assertEquals(failures(await converse(rcsp)), []);
    simulator.faults = { slice: 1 };
    assertEquals(failures(await converse(rcsp)), []);
    simulator.faults.slice = undefined;
    simulator.faults.pause = 1;
    assertEquals(failures(await converse(rcsp)), []);
    simulator.faults = { silentAfter: 0 };
    assertEquals(failures(await converse(rcsp)).map(({ code }) => code), Array(5).fill("timeout"));
    simulator.faults = { cutAfter: 1 };
    assertStrictEquals(failures(await converse(rcsp)).length, 5);
    assertInstanceOf(await rcsp.closed, ConnectionError);
    simulator.faults = {};
    assertEquals(failures(await converse(await join())), []);
  }));

test("faults apply to events too", () =>
  withSimulator({}, async ({ simulator, join }) => {
    const rcsp = await join();
    const presses = rcsp.buttonPresses(1);
    await presses.ready;
    simulator.faults = { slice: 1 };
    assertStrictEquals(simulator.press(1, "LongPress"), 1);
    assertStrictEquals((await presses.next()).value?.type, "LongPress");
    simulator.faults = { cutAfter: 0 };
    assertStrictEquals(simulator.press(1, "LongPress"), 1);
    const failure = await presses.next().catch((error: unknown) => error);
    assertInstanceOf(failure, ConnectionError);
  }));

for (const faults of [{ pause: 600_000 }, { pause: 20, slice: 1, silentAfter: 0 }]) {
  test(`close() during ${JSON.stringify(faults)} leaves no timer`, () =>
    withSimulator({ faults, closeTimeout: 50 }, async ({ simulator, join }) => {
      const rcsp = await join();
      const waits = Promise.withResolvers<void>();
      simulator.server.handle("Wait", () => waits.resolve());
      const call = rcsp.call("Wait").catch((error: unknown) => error);
      await waits.promise;
      await simulator.close();
      assertInstanceOf(await call, ConnectionError);
    }));
}
