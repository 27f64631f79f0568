import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError, type RcspClient, type TracedFrame } from "../mod.ts";
import { echo, event, mute, ok, refusal, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { uncaughtIn } from "./support/uncaught.ts";

function tracer(): { seen: string[]; onFrame: (frame: TracedFrame) => void } {
  const seen: string[] = [];
  const onFrame = ({ direction, type, payload }: TracedFrame): void => {
    seen.push(`${direction} ${type} ${new TextDecoder().decode(payload)}`);
  };
  return { seen, onFrame };
}

test("onFrame gets every frame with its body, in the order of the wire", () => {
  const { seen, onFrame } = tracer();
  return withScripted(
    (command) => command.name === "No" ? refusal(command) : [event('{"n":1}'), ok(command)],
    async (rcsp) => {
      await rcsp.call("Yes", { a: "ä" });
      await assertRejects(() => rcsp.call("No"));
      assertEquals(seen, [
        'out 1 {"Command":"Yes","TrackId":"1","Version":1,"Arguments":{"a":"ä"}}',
        'in 4 {"n":1}',
        'in 2 {"TrackId":"1"}',
        'out 1 {"Command":"No","TrackId":"2","Version":1}',
        'in 3 {"TrackId":"2"}',
      ]);
    },
    { onFrame },
  );
});

test("onFrame gets each command of a batch, and none that is not sent", () => {
  const { seen, onFrame } = tracer();
  return withScripted(echo, async (rcsp) => {
    const controller = new AbortController();
    const names = Array.from({ length: 100 }, (_, i) => `Command ${i}`);
    const calls = names.map((name) => rcsp.call(name));
    const gone = assertRejects(() => rcsp.call("Gone", {}, { signal: controller.signal }));
    controller.abort();
    await Promise.all([...calls, gone]);
    const out = seen.filter((line) => line.startsWith("out"));
    const expected = names.map((name, i) =>
      `out 1 {"Command":"${name}","TrackId":"${i + 1}","Version":1}`
    );
    assertEquals(out, expected);
  }, { onFrame });
});

test("onFrame gets the frame that closes the client, and late and invalid ones", () => {
  const { seen, onFrame } = tracer();
  return withScripted(mute, async (rcsp, server) => {
    await assertRejects(() => rcsp.call("A", undefined, { timeout: 1 }));
    server.send(ok({ trackId: "1" }), event("]"), event(""));
    server.send(ok({ trackId: "9" }));
    await rcsp.closed;
    assertEquals(seen.slice(1), [
      'in 2 {"TrackId":"1"}',
      "in 4 ]",
      "in 4 ",
      'in 2 {"TrackId":"9"}',
    ]);
  }, { onFrame });
});

test("onFrame may make calls and close the client", async () => {
  let client: RcspClient | undefined;
  const calls: Promise<unknown>[] = [];
  const onFrame = ({ direction }: TracedFrame): void => {
    if (direction === "out" && calls.length === 0) calls.push(client!.call("From out"));
    else if (direction === "in" && calls.length === 1) calls.push(client!.call("From in"));
    else if (direction === "in" && calls.length === 2) calls.push(client!.close());
  };
  await withScripted(mute, async (rcsp, server) => {
    client = rcsp;
    const first = rcsp.call("First");
    await server.until(2);
    server.send(ok({ trackId: "1" }, { of: "First" }));
    assertEquals(await first, { of: "First" });
    await server.until(3);
    server.send(ok({ trackId: "2" }));
    const settled = (await Promise.allSettled(calls)).map((result) =>
      result.status === "rejected" ? result.reason.constructor : "fulfilled"
    );
    // No response is processed after the one during which close() was called.
    assertEquals(settled.slice(0, 2), [ConnectionError, ConnectionError]);
    assertEquals(server.names, ["First", "From out", "From in"]);
    assertStrictEquals(await rcsp.closed, undefined);
    await turn();
  }, { onFrame });
});

test("onFrame gets nothing after the frame during which the client was closed", () => {
  const { seen, onFrame } = tracer();
  let client: RcspClient | undefined;
  return withScripted(mute, async (rcsp, server) => {
    client = rcsp;
    const events = rcsp.events();
    await turn();
    const burst = [event("{}"), event('{"n":2}'), event("]")];
    server.send(new Uint8Array(burst.flatMap((bytes) => [...bytes])));
    assertStrictEquals(await rcsp.closed, undefined);
    assertEquals(seen, ["in 4 {}"]);
    assertEquals(await events.next(), { done: true, value: undefined });
  }, {
    onFrame: (frame) => {
      onFrame(frame);
      client?.close();
    },
  });
});

const THROWING = `
  await withScripted(echo, async (rcsp, server) => {
    const events = rcsp.events();
    await rcsp.call("A");
    server.send(event({ n: 1 }));
    await events.next();
    answer = await rcsp.call("B");
  }, OPTIONS);`;
const NAMES = "{ echo, event, withScripted }";

test("an error thrown by onFrame is reported, and affects nothing else", async () => {
  const options = `{ onFrame: ({ direction }) => { throw new Error("hook " + direction); } }`;
  const script = THROWING.replace("OPTIONS", options);
  assertEquals(await uncaughtIn("support/scripted_server.ts", NAMES, script), {
    answer: { name: "B", id: "2" },
    reported: ["hook out", "hook in", "hook in", "hook out", "hook in"],
  });
});

test("errors thrown by channel subscribers are reported, and affect nothing else", async () => {
  const channel = (name: string): string =>
    `{ hasSubscribers: true, publish() { throw new Error("${name}"); } }`;
  const options = `{ tracing: { call: ${channel("call")}, connect: ${channel("connect")} } }`;
  const script = THROWING.replace("OPTIONS", options);
  assertEquals(await uncaughtIn("support/scripted_server.ts", NAMES, script), {
    answer: { name: "B", id: "2" },
    reported: ["connect", "connect", "call", "call", "connect"],
  });
});

for (const hasSubscribers of [false, true]) {
  test(`a rejected call that is not awaited is reported, hasSubscribers = ${hasSubscribers}`, async () => {
    const script = `
      const unhandled = [];
      if ("Deno" in globalThis) {
        addEventListener("unhandledrejection", (event) => {
          event.preventDefault();
          unhandled.push(event.reason.name);
        });
      } else process.on("unhandledRejection", (reason) => unhandled.push(reason.name));
      const published = [];
      const call = { hasSubscribers: ${hasSubscribers}, publish: ({ command }) => published.push(command) };
      await withScripted((command) => refusal(command), async (rcsp) => {
        rcsp.call("Lost");
        await rcsp.call("Caught").catch(() => {});
        await turn();
      }, { tracing: { call } });
      answer = [unhandled, published];`;
    const names = "{ refusal, turn, withScripted }";
    const { answer } = await uncaughtIn("support/scripted_server.ts", names, script);
    assertEquals(answer, [["CommandError"], hasSubscribers ? ["Lost", "Caught"] : []]);
  });
}
