import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { HandlerResult } from "../src/server/command_context.ts";
import {
  type Body,
  COMMAND,
  command,
  concat,
  ERROR,
  EVENT,
  frame,
  OK,
  type RawClient,
  type Received,
  until,
  withServer,
} from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const TOPIC = { publisher: "P", topic: "T" };
const TOPIC_ARGS = { Publisher: "P", Topic: "T" };

/** Handlers that end when the test says so, in any order. */
class Held {
  readonly waiting = new Map<string, PromiseWithResolvers<HandlerResult>>();

  readonly handler = ({ TrackId }: { TrackId: string }): Promise<HandlerResult> => {
    const held = Promise.withResolvers<HandlerResult>();
    this.waiting.set(TrackId, held);
    return held.promise;
  };

  release(trackId: string): void {
    this.waiting.get(trackId)?.resolve({ Of: trackId });
  }
}

function trackIds(received: Received[]): (string | undefined)[] {
  return received.map(({ body }) => body.TrackId);
}

const orders = [["1", "2", "3", "4"], ["4", "3", "2", "1"], ["2", "4", "1", "3"]];

for (const order of orders) {
  test(`handlers that finish in the order ${order} get responses in the order of the commands`, () =>
    withServer({}, async ({ server, join }) => {
      const held = new Held();
      server.handle("Hold", held.handler);
      const client = await join();
      await client.write(concat(...["1", "2", "3", "4"].map((id) => command(id, "Hold"))));
      await until(() => held.waiting.size === 4);
      for (const id of order) {
        held.release(id);
        await Promise.resolve();
      }
      const received = await client.receiveMany(4);
      assertEquals(trackIds(received), ["1", "2", "3", "4"]);
      assertEquals(received.map(({ body }) => body.Response?.["Of"]), ["1", "2", "3", "4"]);
    }));
}

test("fast responses, errors and invalid bodies keep their place behind a slow command", () =>
  withServer({}, async ({ server, join }) => {
    const held = new Held();
    server.handle("Hold", held.handler).handle("Do", () => {});
    const client = await join();
    await client.write(concat(
      command("slow", "Hold"),
      command("quick", "Do"),
      frame(COMMAND, "{broken"),
      command("unknown", "Nothing"),
      command("quick", "Do"),
    ));
    await until(() => held.waiting.size === 1);
    held.release("slow");
    const received = await client.receiveMany(5);
    assertEquals(trackIds(received), ["slow", "quick", undefined, "unknown", "quick"]);
    assertEquals(received.map(({ type }) => type), [OK, OK, ERROR, ERROR, OK]);
    await client.socket.closeWrite();
    assertEquals(await client.receiveAll(), [], "one answer each, and no more");
  }));

test("events overtake a pending command", () =>
  withServer({}, async ({ server, join }) => {
    const held = new Held();
    server.handle("Hold", held.handler);
    const client = await join();
    await client.ask("Subscribe", TOPIC_ARGS);
    await client.write(command("slow", "Hold"));
    await until(() => held.waiting.size === 1);
    for (let count = 0; count < 3; count++) server.publish({ ...TOPIC, data: { count } });
    const events = await client.receiveMany(3);
    assertEquals(events.map(({ type }) => type), [EVENT, EVENT, EVENT]);
    assertEquals(events.map(({ body }) => body["Data"]), [{ count: 0 }, { count: 1 }, {
      count: 2,
    }]);
    held.release("slow");
    assertEquals(trackIds([await client.receive()]), ["slow"]);
  }));

test("a slow command of one client does not delay another client", () =>
  withServer({}, async ({ server, join }) => {
    const held = new Held();
    server.handle("Hold", held.handler).handle("Do", () => {});
    const [slow, quick] = [await join(), await join()];
    await slow.write(concat(command("slow", "Hold"), command("behind", "Do")));
    await until(() => held.waiting.size === 1);
    for (let i = 1; i <= 100; i++) assertStrictEquals((await quick.ask("Do")).body.TrackId, `${i}`);
    held.release("slow");
    assertEquals(trackIds(await slow.receiveMany(2)), ["slow", "behind"]);
  }));

test("a command in chunks of every size is one command", () =>
  withServer({}, async ({ server, join }) => {
    server.handle("Echo", ({ Arguments }) => Arguments);
    const client = await join();
    const bytes = concat(command("a", "Echo", { Text: "é🧤" }), command("b", "Nothing"));
    for (let size = 1; size <= bytes.length; size++) {
      for (let at = 0; at < bytes.length; at += size) {
        await client.write(bytes.subarray(at, at + size));
      }
      const [first, second] = await client.receiveMany(2);
      assertEquals(first?.body, { TrackId: "a", Response: { Text: "é🧤" } });
      assertStrictEquals(second?.body.TrackId, "b");
    }
  }));

test("ten concurrent clients get their own responses in their own order", () =>
  withServer({}, async ({ server, join }) => {
    // Every third command takes one turn of the event loop, every seventh two.
    server.handle("Echo", async ({ Arguments }) => {
      const turn = Number(Arguments["Turn"]);
      for (const every of [3, 7]) {
        if (turn % every === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return Arguments;
    });
    const talk = async (client: RawClient, name: number): Promise<void> => {
      const turns = Array.from({ length: 200 }, (_, turn) => turn);
      await client.write(concat(...turns.map((Turn) => command(Turn, "Echo", { name, Turn }))));
      const bodies: Body[] = (await client.receiveMany(turns.length)).map(({ body }) => body);
      assertEquals(bodies.map(({ TrackId }) => TrackId), turns.map(String));
      assertEquals(bodies.map(({ Response }) => Response), turns.map((Turn) => ({ name, Turn })));
    };
    const clients = await Promise.all(Array.from({ length: 10 }, join));
    await Promise.all(clients.map(talk));
  }));

test("100,000 pipelined commands of a client that reads all get responses, in order", () =>
  withServer({}, async ({ server, join, errors }) => {
    const count = 100_000;
    server.handle("Do", ({ TrackId }) => Number(TrackId) % 2 === 0 ? undefined : Promise.resolve());
    const client = await join();
    const sending = (async () => {
      for (let id = 0; id < count; id += 1_000) {
        const batch = Array.from({ length: 1_000 }, (_, i) => command(id + i, "Do"));
        await client.write(concat(...batch));
      }
      await client.socket.closeWrite();
    })();
    sending.catch(() => {});
    for (let id = 0; id < count; id++) {
      const { type, body } = await client.receive();
      if (type !== OK || body.TrackId !== String(id)) {
        assertEquals({ type, body }, { type: OK, body: { TrackId: String(id) } });
      }
    }
    await sending;
    assertStrictEquals(await client.next(), null);
    assertEquals(errors, []);
    await until(() => server.clients === 0);
    assert(server.addresses.length === 1);
  }));
