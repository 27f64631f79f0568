import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type Arguments, connect, type RcspClient } from "../mod.ts";
import { RcspError } from "../src/errors.ts";
import { startSimulator } from "../simulator.ts";
import { type ConnectionFaults, FaultProxy } from "./support/fault_proxy.ts";
import { test } from "./support/test.ts";
import { repeatUntil } from "./support/wait.ts";

/** The fault of the first connection, and whether a client can detect it. */
const FAULTS: { name: string; faults: ConnectionFaults; survives: boolean }[] = [
  { name: "no fault", faults: {}, survives: true },
  { name: "delay", faults: { up: { delay: 3 }, down: { delay: 3 } }, survives: true },
  { name: "slices of one byte", faults: { up: { slice: 1 }, down: { slice: 1 } }, survives: true },
  {
    name: "a cut after bytes of an answer",
    faults: { down: { cutAfterBytes: 20 } },
    survives: false,
  },
  {
    name: "a cut after bytes of a command",
    faults: { up: { cutAfterBytes: 20 } },
    survives: false,
  },
  { name: "a cut after an answer", faults: { down: { cutAfterFrames: 1 } }, survives: false },
  { name: "a cut after a command", faults: { up: { cutAfterFrames: 1 } }, survives: false },
  { name: "a reset", faults: { down: { resetAfterBytes: 30 } }, survives: false },
  {
    name: "a half close by the server",
    faults: { down: { halfCloseAfterFrames: 1 } },
    survives: false,
  },
  {
    name: "a half close by the client",
    faults: { up: { halfCloseAfterFrames: 1 } },
    survives: false,
  },
  { name: "a stall inside an answer", faults: { down: { stallAfterBytes: 20 } }, survives: false },
  { name: "a stall before an answer", faults: { up: { stallAfterBytes: 0 } }, survives: false },
  { name: "a dropped answer", faults: { down: { dropResponse: 0 } }, survives: false },
  { name: "an answer twice", faults: { down: { duplicateResponse: 0 } }, survives: false },
  { name: "a byte of a header changed", faults: { down: { corruptByte: 1 } }, survives: false },
];

for (const { name, faults, survives } of FAULTS) {
  test(`${name} on a connection: calls settle with their own response or an error, and work again`, async () => {
    const simulator = await startSimulator({ port: 0 });
    simulator.server.handle("Echo", ({ Arguments }) => Arguments);
    const proxy = await FaultProxy.start(simulator.address, (n) => n === 0 ? faults : {});
    const rcsp = await connect({
      ...proxy.address,
      // A fault must be detected; without one, a slow machine must not look like a fault.
      ...(survives ? {} : { commandTimeout: 300, heartbeat: 200, partialFrameTimeout: 200 }),
      reconnect: { initialDelay: 1 },
    });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, n) => rcsp.call("Echo", { n })),
    );
    outcomes.forEach((outcome, n) => {
      if (outcome.status === "fulfilled") assertEquals(outcome.value, { n });
      else assertInstanceOf(outcome.reason, RcspError);
    });
    assertStrictEquals(outcomes.every(({ status }) => status === "fulfilled"), survives);
    // The first connection is dead, so the response came through a later one.
    assertEquals(await untilAnswered(rcsp, "Echo", { n: 99 }), { n: 99 });
    assertStrictEquals(proxy.connections > 1, !survives);
    await rcsp.drain();
    await proxy.close();
    await simulator.close();
  });
}

for (const how of ["close", "reset"] as const) {
  test(`subscriptions continue when all connections end by ${how}`, async () => {
    const simulator = await startSimulator({ port: 0 });
    const proxy = await FaultProxy.start(simulator.address);
    const rcsp = await connect({ ...proxy.address, reconnect: { initialDelay: 1 } });
    const presses = rcsp.buttonPresses(1);
    await presses.ready;
    simulator.press(1, "SinglePress");
    assertStrictEquals((await presses.next()).value?.type, "SinglePress");
    proxy.cutAll(how);
    // The driver may not have seen the end yet, and drop the press.
    const next = await repeatUntil(presses.next(), () => simulator.press(1, "LongPress"));
    assertStrictEquals(next.value?.type, "LongPress");
    assert(presses.gaps >= 1);
    await rcsp.drain();
    await proxy.close();
    await simulator.close();
  });
}

/** Calls until there is a response, as the time until a fault shows is unknown. */
async function untilAnswered(rcsp: RcspClient, name: string, args: Arguments): Promise<unknown> {
  for (;;) {
    try {
      return await rcsp.call(name, args);
    } catch (error) {
      if (rcsp.status.state === "closed") throw error;
      assertInstanceOf(error, RcspError);
    }
  }
}
