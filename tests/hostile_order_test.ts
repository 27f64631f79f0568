/** Misbehaving listeners, and events at the wrong time. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { concat } from "@std/bytes";
import type { TracedFrame } from "../src/client/connection.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import type { Subscription } from "../src/client/subscription.ts";
import { ConnectionError } from "../src/errors.ts";
import type { RcspEvent } from "../src/message/event.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import { echo, event, ok, type Script, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { uncaughtIn } from "./support/uncaught.ts";

const TOPIC = { publisher: "P", topic: "T" };

/**
 * Responds to everything, and sends three events before the response to `Go`, in the same chunk.
 */
const bursts: Script = (command, server) =>
  command.name === "Go"
    ? concat([...[1, 2, 3].map((n) => event({ n })), ok(command, { of: "Go" })])
    : echo(command, server);

const LISTENERS: {
  does: string;
  onOverflow: (rcsp: RcspClient, events: Subscription<RcspEvent>) => unknown;
  /** Whether the client stays open. */
  lives: boolean;
}[] = [
  { does: "calls", onOverflow: (rcsp) => rcsp.call("FromListener"), lives: true },
  { does: "unsubscribes itself", onOverflow: (_, events) => events.return(), lives: true },
  { does: "subscribes anew", onOverflow: (rcsp) => rcsp.subscribe(TOPIC), lives: true },
  { does: "never settles", onOverflow: () => new Promise(() => {}), lives: true },
  { does: "closes the client", onOverflow: (rcsp) => rcsp.close(), lives: false },
];

for (const { does, onOverflow, lives } of LISTENERS) {
  test(`an onOverflow that ${does} affects nothing else`, () =>
    withScripted(bursts, async (rcsp) => {
      let calls = 0;
      const events: Subscription<RcspEvent> = rcsp.events({
        buffer: 1,
        onOverflow: () => {
          calls++;
          onOverflow(rcsp, events);
        },
      });
      const call = rcsp.call("Go");
      if (lives) {
        assertEquals(await call, { of: "Go" });
        const answer = await rcsp.call("After");
        assertStrictEquals(answer["name"], "After");
      } else {
        await call.catch((error) => assert(error instanceof ConnectionError));
        assertStrictEquals(await rcsp.closed, undefined);
      }
      assertStrictEquals(calls, 1);
    }));
}

test("an error thrown by onOverflow is reported, and affects nothing else", async () => {
  const script = `
    await withScripted(echo, async (rcsp, server) => {
      const events = rcsp.events({ buffer: 1, onOverflow: () => { throw new Error("listener"); } });
      await rcsp.call("A");
      server.send(event({ n: 1 }), event({ n: 2 }));
      answer = [await rcsp.call("B"), (await events.next()).value.raw];
    });`;
  const names = "{ echo, event, withScripted }";
  assertEquals(await uncaughtIn("support/scripted_server.ts", names, script), {
    answer: [{ name: "B", id: "2" }, { n: 2 }],
    reported: ["listener"],
  });
});

test("an event loop body that never settles blocks neither calls nor other readers", () =>
  withScripted(bursts, async (rcsp) => {
    const [stuck, quick] = [rcsp.events({ buffer: 2 }), rcsp.events()];
    const entered = Promise.withResolvers<void>();
    const loop = (async () => {
      for await (const _ of stuck) {
        entered.resolve();
        await new Promise(() => {});
      }
    })();
    loop.catch(() => {});
    assertEquals(await rcsp.call("Go"), { of: "Go" });
    await entered.promise;
    assertEquals(await rcsp.call("Go"), { of: "Go" });
    assertStrictEquals(quick.waiting, 6);
    assertEquals([stuck.waiting, stuck.dropped], [2, 3]);
  }));

test("a reader that closes the client during a burst gets the received events, then the end", () =>
  withScripted(bursts, async (rcsp) => {
    const seen: unknown[] = [];
    const events = rcsp.events();
    const call = rcsp.call("Go").catch((error) => error);
    for await (const { raw } of events) {
      seen.push(raw["n"]);
      if (seen.length === 1) await rcsp.close();
    }
    await call;
    assertEquals(seen, [1, 2, 3]);
    await assertRejects(() => rcsp.call("After"), ConnectionError);
  }));

test("events in flight when their reader ends are dropped, and count as unmatched", () =>
  withScripted(
    (command) => [event({ n: 1 }), ok(command, { of: command.name }), event({ n: 2 })],
    async (rcsp, server) => {
      const events = rcsp.subscribe(TOPIC);
      await events.ready;
      await events.next();
      await events.unsubscribe();
      assertEquals(server.names, ["Subscribe", "Unsubscribe"]);
      assertEquals(await rcsp.call("A"), { of: "A" });
      await turn();
      assertEquals([events.waiting, await events.next()], [0, { done: true, value: undefined }]);
      assert(rcsp.stats().unmatched >= 3, "the events of 'Unsubscribe' and 'A' are counted");
    },
  ));

test("a call of an onFrame that makes the client replace its connection goes to the next one", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let onOut = (): void => {};
  const onFrame = ({ payload }: TracedFrame): void => {
    if (new TextDecoder().decode(payload).includes('"B"')) onOut();
  };
  await withFlaky(
    (command) => command.name === "A" ? undefined : ok(command),
    async (rcsp, flaky) => {
      let third: Promise<unknown> | undefined;
      onOut = () => {
        controller.abort();
        third = rcsp.call("C");
      };
      const calls = [rcsp.call("A", null, { signal })];
      await flaky.server.until(1);
      calls.push(rcsp.call("B", null, { signal }));
      await Promise.allSettled(calls);
      await reach(rcsp, "reconnecting");
      await flaky.retry(rcsp);
      assertEquals(await third, {});
      assertEquals([rcsp.stats().queued, rcsp.stats().inFlight], [0, 0]);
    },
    { maxPending: 2, onFrame },
  );
});
