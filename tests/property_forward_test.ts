/**
 * Many clients behind one connection to the driver, with answers that come late, errors, lost connections
 * and clients that leave: everyone gets the answers to their own commands, in order, and only their events.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import type { RcspError } from "../src/errors.ts";
import { type Frame, type Peer, withForwarding } from "./support/forwarding.ts";
import { ERROR, EVENT, OK } from "./support/raw_client.ts";
import {
  event,
  ok,
  type Received,
  refusal,
  type Script,
  type ScriptedServer,
} from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { turn, until } from "./support/wait.ts";

const CLIENTS = 5;

type Step =
  | { do: "command"; client: number; fails: boolean }
  | { do: "subscribe" | "unsubscribe"; client: number; device: number }
  | { do: "leave"; client: number }
  | { do: "answer"; count: number }
  | { do: "event"; device: number }
  | { do: "hangUp" }
  | { do: "turn" };

const client = fc.nat({ max: CLIENTS - 1 });
const device = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("command"), client, fails: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("subscribe"), client, device }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("unsubscribe"), client, device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave"), client }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer"), count: fc.nat({ max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("event"), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("hangUp") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("turn") }) },
) as fc.Arbitrary<Step>;

/** A driver that answers when the test says so, in order. */
class SlowDriver {
  #waiting: { received: Received; connection: unknown; server: ScriptedServer }[] = [];
  #slow = true;

  readonly script: Script = (received, server) => {
    if (!this.#slow) return answer(received);
    this.#waiting.push({ received, connection: server.tap, server });
    return undefined;
  };

  /** A new connection knows nothing of the commands of the old one. */
  answer(count: number): void {
    for (const { received, connection, server } of this.#waiting.splice(0, count)) {
      if (server.tap === connection) server.send(answer(received));
    }
  }

  /** From now on answers at once. */
  hurry(): void {
    this.#slow = false;
    this.answer(Infinity);
  }
}

function answer(received: Received): Uint8Array {
  const { args = {} } = received;
  return args["fails"] ? refusal(received, { Code: args["id"] }) : ok(received, args);
}

/** What one client has sent, and what it must get. */
class Model {
  readonly peer: Peer;
  readonly #name: string;
  /** In the order in which they were sent. */
  readonly #expected: { trackId: string; id?: string; fails?: boolean }[] = [];
  readonly #devices = new Set<number>();
  #lastEvent = -1;
  #sent = 0;
  left = false;

  constructor(peer: Peer, name: string) {
    this.peer = peer;
    this.#name = name;
  }

  async command(fails: boolean): Promise<void> {
    const id = `${this.#name}-${this.#sent}`;
    await this.#send("GetDeviceInfo", { id, fails }, { id, fails });
  }

  async subscription(name: string, device: number): Promise<void> {
    this.#devices.add(device);
    await this.#send(name, { Publisher: "p", Topic: "t", DeviceId: device });
  }

  /** Reads until everything is answered. */
  async check(): Promise<void> {
    while (this.#expected.length > 0) this.#take(await this.peer.next());
  }

  async #send(name: string, args: object, expected: object = {}): Promise<void> {
    // All clients use the same ones.
    const trackId = `${this.#sent++}`;
    this.#expected.push({ trackId, ...expected });
    await this.peer.send(trackId, name, args);
  }

  #take({ type, body }: Frame): void {
    if (type === EVENT) {
      assert(this.#devices.has(body.DeviceId), `${this.#name} did not ask for ${body.DeviceId}`);
      assert(body.n > this.#lastEvent, `Event ${body.n} came after ${this.#lastEvent}`);
      this.#lastEvent = body.n;
      return;
    }
    const { trackId, id, fails } = this.#expected.shift()!;
    assertStrictEquals(body.TrackId, trackId);
    if (type === OK) assertEquals([body.Response?.id, fails ?? false], [id, false]);
    else if (body.Error.Code !== "Unavailable") assertEquals([body.Error.Code, fails], [id, true]);
    assert(type === OK || type === ERROR);
  }
}

test("many clients, slow and failing answers, lost connections: nothing is mixed up", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const slow = new SlowDriver();
      await withForwarding(slow.script, async ({ driver, rcsp, join, errors }) => {
        const models = Array.from({ length: CLIENTS }, (_, i) => new Model(join(), `client${i}`));
        let events = 0;
        const send = (device: number): void =>
          driver.send(event({ Publisher: "p", Topic: "t", DeviceId: device, n: events++ }));
        for (const step of steps) {
          const model = "client" in step ? models[step.client]! : undefined;
          if (model?.left) continue;
          if (step.do === "command") await model!.command(step.fails);
          else if (step.do === "subscribe") {
            await model!.subscription("DeviceSubscribe", step.device);
          } else if (step.do === "unsubscribe") {
            await model!.subscription("DeviceUnsubscribe", step.device);
          } else if (step.do === "leave") {
            model!.left = true;
            model!.peer.socket.close();
          } else if (step.do === "answer") slow.answer(step.count);
          else if (step.do === "event") send(step.device);
          else if (step.do === "hangUp") {
            driver.hangUp();
            await until(() => rcsp.status.state !== "ready" || rcsp.stats().reconnects > 0);
          } else await turn();
        }
        slow.hurry();
        const staying = models.filter(({ left }) => !left);
        await Promise.all(staying.map((model) => model.check()));
        // All is well again: everyone gets the next event once.
        await until(() => rcsp.status.state === "ready");
        for (const { peer } of staying) {
          const args = { Publisher: "p", Topic: "last", DeviceId: 9 };
          let frame = await peer.ask("last", "DeviceSubscribe", args);
          while (frame.type === EVENT) frame = await peer.next();
          assertEquals([frame.type, frame.body.TrackId], [OK, "last"]);
        }
        driver.send(event({ Publisher: "p", Topic: "last", DeviceId: 9 }));
        for (const { peer } of staying) {
          let frame = await peer.next();
          while (frame.body.Topic === "t") frame = await peer.next();
          assertEquals([frame.type, frame.body.Topic], [EVENT, "last"]);
        }
        // Of those who left before their answers came.
        for (const error of errors) {
          assertStrictEquals((error as RcspError).code, "connection-reset");
        }
      }, { forward: { maxPending: 4 }, server: { closeTimeout: 1 } });
    }),
    { numRuns: 60 },
  ));
