import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { connect, type ConnectOptions, type RcspClient } from "../mod.ts";
import {
  CommandError,
  ConnectionError,
  LimitError,
  ProtocolError,
  RcspError,
  TimeoutError,
} from "../src/errors.ts";
import type { PressType } from "../src/message/event.ts";
import { withPythonServer } from "./support/python.ts";
import { run } from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

/** Runs `use` with our client and a Python server with this behaviour. */
function withClient(
  behaviour: string,
  use: (rcsp: RcspClient, join: () => Promise<RcspClient>) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  return withPythonServer(behaviour, async (address) => {
    const clients: RcspClient[] = [];
    const join = async (): Promise<RcspClient> => {
      const rcsp = await connect({ ...address, reconnect: false, ...options });
      clients.push(rcsp);
      return rcsp;
    };
    try {
      await use(await join(), join);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });
}

test("Python is there", async () => {
  const { code, stdout } = await run(["python3", "--version"]);
  assertStrictEquals(code, 0);
  assert(stdout.startsWith("Python 3."), stdout);
});

async function assertCommands(rcsp: RcspClient, nulls: boolean): Promise<void> {
  const devices = await rcsp.listDevices();
  assertEquals(devices.map(({ DeviceId }) => DeviceId), [1, 2, "left-glove"]);
  assertEquals(devices[1]?.["TestLabel"], "zwölf Finger ✋ 🧤");
  assertEquals(devices[0]?.["TestMore"], { Deep: [null] });
  const infos = await Promise.all(devices.map(({ DeviceId }) => rcsp.getDeviceInfo(DeviceId)));
  assertEquals(infos.map((info) => info["DeviceId"]), [1, 2, "left-glove"]);
  const red = { LedId: "RingLed", Red: 255, Green: 0, Blue: 1 };
  assertEquals(await rcsp.setColorLed("left-glove", red), {});
  const { TestLights } = await rcsp.getDeviceInfo("left-glove");
  assertEquals(TestLights, { RingLed: { Red: 255, Green: 0, Blue: 1 } });
  for (const [command, id, code] of [["Nothing", 1, "UnknownCommand"], ["Press", "1", 404]]) {
    const calling = rcsp.call(String(command), { DeviceId: id });
    const error = await assertRejects(() => calling, CommandError);
    assertStrictEquals(error.errorCode, nulls ? undefined : code);
    assertStrictEquals(error.errorMessage === undefined, nulls);
    assertStrictEquals(error.command, command);
  }
}

async function assertPipelined(rcsp: RcspClient): Promise<void> {
  const calls = Array.from({ length: 60 }, (_, i) => {
    const turn = i % 3;
    if (turn === 0) return rcsp.getDeviceInfo(1).then((info) => info["TestLabel"]);
    if (turn === 1) return rcsp.listDevices().then((devices) => devices.length);
    return rcsp.call("Nothing").catch((error: unknown) => error instanceof CommandError);
  });
  assertEquals(await Promise.all(calls), calls.map((_, i) => ["first", 3, true][i % 3]));
}

async function assertEvents(rcsp: RcspClient): Promise<void> {
  const types: PressType[] = ["LongPress", "SinglePress", "DoublePress"];
  const [one, glove] = [rcsp.buttonPresses(1), rcsp.buttonPresses("left-glove")];
  await Promise.all([one.ready, glove.ready]);
  for (const PressType of types) {
    for (const DeviceId of [1, "left-glove"]) {
      assertEquals(await rcsp.call("Press", { DeviceId, PressType }), { TestReached: 1 });
    }
  }
  for (const type of types) {
    const { value: press } = await one.next();
    assertEquals([press?.type, press?.deviceId], [type, 1]);
    const { value: other } = await glove.next();
    assertEquals([other?.type, other?.deviceId], [type, "left-glove"]);
  }
  await one.unsubscribe();
  assertEquals(await rcsp.call("Press", { DeviceId: 1 }), { TestReached: 0 });
  const all = rcsp.subscribe({ publisher: "DeviceEvents", topic: "ButtonPushed" });
  await all.ready;
  assertEquals(await rcsp.call("Press", { DeviceId: "left-glove" }), { TestReached: 1 });
  // A chatty server sends events of device 2 as well.
  for (let next = await all.next(); next.value?.deviceId !== "left-glove";) next = await all.next();
  await Promise.all([all.unsubscribe(), glove.unsubscribe()]);
}

const manners = [
  "plain",
  "bytewise",
  "nulls",
  "chatty",
  "notrackid",
  "bytewise,nulls,chatty",
  "bytewise,chatty,notrackid,nulls",
];

for (const behaviour of manners) {
  test(`commands, pipelining and events work with a Python server that is ${behaviour}`, () =>
    withClient(behaviour, async (rcsp) => {
      await assertCommands(rcsp, behaviour.includes("nulls"));
      await assertPipelined(rcsp);
      await assertEvents(rcsp);
      const { queued: waiting, inFlight: unanswered, late, timedOut } = rcsp.stats();
      assertEquals({ waiting, unanswered, late, timedOut }, {
        waiting: 0,
        unanswered: 0,
        late: 0,
        timedOut: 0,
      });
    }));
}

test("four clients work with one Python server that is bytewise, nulls and chatty", () =>
  withClient("bytewise,nulls,chatty", async (first, join) => {
    const clients = [first, await join(), await join(), await join()];
    await Promise.all(clients.map(assertPipelined));
    const presses = clients.map((rcsp) => rcsp.buttonPresses(1));
    await Promise.all(presses.map(({ ready }) => ready));
    assertEquals(await first.call("Press", { DeviceId: 1, PressType: "LongPress" }), {
      TestReached: 4,
    });
    const heard = await Promise.all(presses.map((each) => each.next()));
    assertEquals(heard.map(({ value }) => value?.type), Array(4).fill("LongPress"));
  }));

const reset = ["connection-reset", "connection-closed"];
const faults: [behaviour: string, type: typeof RcspError, code: string | string[]][] = [
  ["wrong-marker", ProtocolError, "bad-marker"],
  ["wrong-version", ProtocolError, "bad-version"],
  ["wrong-header-size", ProtocolError, "bad-header-size"],
  ["wrong-type", ProtocolError, "bad-type"],
  ["command-type", ProtocolError, "unexpected-type"],
  ["huge-size", LimitError as unknown as typeof RcspError, "limit-reached"],
  ["bad-json", ProtocolError, "bad-json"],
  ["bad-utf8", ProtocolError, "bad-utf8"],
  ["array-body", ProtocolError, "bad-json"],
  ["stray-trackid", ProtocolError, "out-of-step"],
  ["swapped", ProtocolError, "out-of-step"],
  ["half-body", ProtocolError, "cut-frame"],
  ["http", ProtocolError, "bad-marker"],
  ["silence-then-close", ConnectionError, "connection-closed"],
  ["reset", ConnectionError, reset],
  ["bytewise,chatty,bad-json", ProtocolError, "bad-json"],
  ["bytewise,chatty,swapped", ProtocolError, "out-of-step"],
  ["bytewise,half-body", ProtocolError, "cut-frame"],
  ["notrackid,wrong-marker", ProtocolError, "bad-marker"],
];

for (const [behaviour, type, code] of faults) {
  test(`a Python server's ${behaviour} rejects all pending calls`, () =>
    withClient(behaviour, async (rcsp) => {
      const reading = rcsp.events().next();
      reading.catch(() => {});
      const results = await Promise.allSettled([
        rcsp.getDeviceInfo(1),
        rcsp.getDeviceInfo(2),
        rcsp.listDevices(),
        rcsp.call("Nothing"),
      ]);
      for (const result of results) {
        assertStrictEquals(result.status, "rejected");
        const { reason } = result as PromiseRejectedResult;
        assertInstanceOf(reason, type);
        assert([code].flat().includes(reason.code), `${reason.code}: ${reason.message}`);
        if (reason instanceof ConnectionError) assertStrictEquals(reason.sent, true);
      }
      const cause = await rcsp.closed;
      assertInstanceOf(cause, type);
      assert([code].flat().includes(cause.code), cause.code);
      const late = await assertRejects(() => rcsp.listDevices(), ConnectionError);
      assertStrictEquals(late.sent, false);
      await reading.catch((error: unknown) => assertInstanceOf(error, RcspError));
    }));
}

test("every call to a mute Python server times out at its own timeout", () =>
  withClient("mute", async (rcsp) => {
    const calls = [100, 150, 200].map((timeout) =>
      assertRejects(() => rcsp.listDevices({ timeout }), TimeoutError)
    );
    assertEquals((await Promise.all(calls)).map(({ timeout }) => timeout), [100, 150, 200]);
    const { timedOut, inFlight: unanswered } = rcsp.stats();
    assertEquals({ timedOut, unanswered }, { timedOut: 3, unanswered: 3 });
    const pending = assertRejects(() => rcsp.listDevices(), ConnectionError);
    await until(() => rcsp.stats().sent === 4);
    await rcsp.close();
    assert((await pending).sent);
  }));

test("a Python server that is gone is refused or reset, for those who come and who are there", async () => {
  let address = { host: "", port: 0 };
  let rcsp: RcspClient | undefined;
  await withPythonServer("plain", async (at) => {
    address = at;
    rcsp = await connect({ ...at, reconnect: false });
    await rcsp.listDevices();
  });
  assertInstanceOf(await rcsp?.closed, ConnectionError);
  await assertRejects(() => connect({ ...address, reconnect: false }), ConnectionError);
  await rcsp?.close();
});
