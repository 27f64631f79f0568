/** Fuzz target: a client with calls in flight, and a server that sends anything. */

import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { openClient } from "../../src/client/create_client.ts";
import { CommandError, ConnectionError, RcspError, TimeoutError } from "../../src/errors.ts";
import { LIMITS } from "../../src/limits.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type Fate, type Forecast, forecast } from "./client_model.ts";
import { frame } from "./frames.ts";
import { Mutator, type Random } from "./mutator.ts";
import { isObject, referenceDecode } from "./reference.ts";
import { FuzzSocket, type Writing } from "./socket.ts";
import { must, type MutatedInput, type Target, turn } from "./target.ts";

const CALLS = 8;
const SHORT = 5;
const TIMEOUT = 1_000;
/** Longer than every timeout and every reconnect delay. */
const LONG = 60_000;

const EVENTS = ["{}", '{"Publisher":"P","Topic":"T","Data":{"n":1}}', "no JSON", ""].map((body) =>
  frame(4, body)
);
const STRAYS = [...EVENTS, frame(1, "{}"), frame(2, "{}"), frame(3, '{"TrackId":"4"}')];
const ANSWERS = Array.from({ length: CALLS }, (_, i) => [
  frame(2, JSON.stringify({ TrackId: `${i + 1}`, Response: { Token: token(i) } })),
  frame(2, JSON.stringify({ TrackId: `${i + 1}`, Response: { Token: token(i) } })),
  frame(3, JSON.stringify({ TrackId: `${i + 1}`, Error: { Code: token(i), Message: "No" } })),
  frame(2, JSON.stringify({ Response: { Token: token(i), Next: null } })),
]);

export function clientTarget(): Target {
  const mutator = new Mutator();
  return {
    name: "client",
    weight: 4,
    limits: [200, LIMITS.maxPayload],
    make: (random, limit) => makeAnswers(mutator, random, limit),
    check: checkClient,
  };
}

function token(call: number): string {
  return `token-of-call-${call}`;
}

/** Responses in order, some swapped, some mutated, with events between them. */
function makeAnswers(mutator: Mutator, random: Random, limit: number): MutatedInput {
  mutator.begin(random, limit);
  const order = Array.from({ length: randomInteger(random, 1, CALLS) }, (_, i) => i);
  const kind = random();
  const at = randomInteger(random, 0, order.length - 1);
  if (kind < 0.1) order.splice(at, 1);
  else if (kind < 0.2) order.splice(at, 0, order[at]!);
  else if (kind < 0.3 && at > 0) [order[at - 1], order[at]] = [order[at]!, order[at - 1]!];
  if (kind < 0.3) mutator.count(1);
  // If every frame is mutated, only the first mutation matters.
  const share = random() * random();
  const pick = <T>(items: readonly T[]): T => items[randomInteger(random, 0, items.length - 1)]!;
  for (const call of order) {
    if (random() < 0.3) mutator.add(pick(random() < 0.9 ? EVENTS : STRAYS));
    mutator.add(pick(ANSWERS[call]!));
    if (random() < share) mutator.mutate();
  }
  if (mutator.mutated === 0) {
    if (random() < 0.5) mutator.mutate();
    else mutator.splice(pick(STRAYS));
  }
  return { bytes: mutator.bytes, mutated: mutator.mutated };
}

async function checkClient(bytes: Uint8Array, random: Random, maxPayload: number): Promise<string> {
  const clock = new FakeClock();
  const sockets: FuzzSocket[] = [];
  const writing = (["at once", "at once", "late"] as Writing[])[randomInteger(random, 0, 2)]!;
  const reconnect = random() < 0.3;
  const client = await openClient(
    () => {
      const socket = sockets.length === 0 ? new FuzzSocket(random, writing) : new Answering(random);
      sockets.push(socket);
      return Promise.resolve(socket);
    },
    { commandTimeout: TIMEOUT, maxPayload, reconnect: reconnect ? {} : false },
    { clock, random },
  );
  try {
    const code = await useClient(client, bytes, { clock, random, sockets, maxPayload });
    await checkAfterwards(client, clock, reconnect);
    return code;
  } finally {
    await client.close();
    // Close a connection that is still being opened as soon as it is open.
    await turn();
    must(clock.timers === 0, () => `${clock.timers} timers are left`);
    must(sockets.every(({ isClosed }) => isClosed), () => "a socket is left open");
  }
}

interface Scene {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly sockets: FuzzSocket[];
  readonly maxPayload: number;
}

async function useClient(client: RcspClient, bytes: Uint8Array, scene: Scene): Promise<string> {
  const { clock, random, maxPayload } = scene;
  const socket = scene.sockets[0]!;
  const events = random() < 0.5 ? client.events() : undefined;
  events?.ready.catch(() => {});
  const gone = new Map<number, Fate>();
  const controller = new AbortController();
  const outcomes: PromiseSettledResult<unknown>[][] = [];
  for (let i = 0; i < CALLS; i++) {
    const fate = random();
    if (fate < 0.08) gone.set(i, { kind: "aborted" });
    else if (fate < 0.16) gone.set(i, { kind: "timeout" });
    const call = client.call(`Call${i}`, undefined, {
      timeout: fate >= 0.08 && fate < 0.16 ? SHORT : TIMEOUT,
      signal: fate < 0.08 ? controller.signal : undefined,
    });
    const outcome: PromiseSettledResult<unknown>[] = [];
    outcomes.push(outcome);
    call.then(
      (value) => outcome.push({ status: "fulfilled", value }),
      (reason) => outcome.push({ status: "rejected", reason }),
    );
  }
  await turn();
  must(
    referenceDecode(socket.output, maxPayload).frames.length === CALLS,
    () => "not every command was written",
  );
  controller.abort("aborted by the fuzzer");
  clock.advance(SHORT);
  socket.feed(bytes);
  const end = randomInteger(random, 0, 3);
  if (end < 2) socket.finish(end === 0 ? "end" : "reset");
  const { maxDepth } = LIMITS;
  const listening = events !== undefined;
  const expected = forecast(bytes, { calls: CALLS, maxPayload, maxDepth, listening, gone });
  await turn();
  clock.advance(TIMEOUT);
  await turn();
  compareCounts(client, expected);
  outcomes.forEach((outcome, i) => compare(i, outcome, expected, end >= 2));
  if (events !== undefined) {
    must(
      events.waiting === expected.events,
      () => `${events.waiting} events came, not ${expected.events}`,
    );
    await events.return();
  }
  return expected.codes[0] === "cut-frame" && end >= 1 ? "clean" : expected.codes[0] ?? "clean";
}

/** Checks the client's counters. */
function compareCounts(client: RcspClient, { fates, answered, unreadable }: Forecast): void {
  const count = (kind: Fate["kind"]): number => fates.filter((fate) => fate.kind === kind).length;
  const expected = { answered: count("ok"), failed: count("refused") };
  const late = answered - expected.answered - expected.failed;
  const stats = client.stats();
  const details = (): string => `${JSON.stringify(stats)} instead of ${answered} answers`;
  must(stats.answered === expected.answered && stats.failed === expected.failed, details);
  must(stats.late === late && stats.unreadable === unreadable, details);
}

/** Checks that each call settled once, as the model predicts. */
function compare(
  call: number,
  outcome: readonly PromiseSettledResult<unknown>[],
  { fates, codes }: Forecast,
  open: boolean,
): void {
  const details = (): string =>
    `call ${call} must be ${JSON.stringify(fates[call])}: ` +
    outcome.map((each) => each.status === "fulfilled" ? JSON.stringify(each.value) : each.reason);
  must(outcome.length === 1, () => `settled ${outcome.length} times: ${details()}`);
  const [settled] = outcome as [PromiseSettledResult<unknown>];
  const fate = fates[call]!;
  if (settled.status === "fulfilled") {
    must(fate.kind === "ok" && JSON.stringify(settled.value) === fate.json, details);
    return;
  }
  const { reason } = settled;
  switch (fate.kind) {
    case "ok":
      throw new Error(details());
    case "refused":
      return must(reason instanceof CommandError && reason.command === `Call${call}`, details);
    case "aborted":
      return must(reason === "aborted by the fuzzer", details);
    case "timeout":
      return must(reason instanceof TimeoutError, details);
    case "ended": {
      const right = reason instanceof ConnectionError ||
        reason instanceof RcspError && codes.includes(reason.code) ||
        open && reason instanceof TimeoutError;
      return must(right && !(reason instanceof CommandError), details);
    }
  }
}

/** Checks that the client is either closed or has reconnected and works. */
async function checkAfterwards(
  client: RcspClient,
  clock: FakeClock,
  reconnect: boolean,
): Promise<void> {
  for (let i = 0; i < 3 && client.status.state === "reconnecting"; i++) {
    clock.advance(LONG);
    await turn();
  }
  const { state } = client.status;
  must(state === "ready" || state === "closed" && !reconnect, () => `the client is ${state}`);
  if (state === "closed") must(clock.timers === 0, () => `${clock.timers} timers outlive the end`);
  const call = client.call("After", { Token: "after" });
  const outcome = call.then(
    (value) => value["Token"] === "after",
    (error) => error instanceof ConnectionError || error instanceof TimeoutError,
  );
  await turn();
  // The first connection may stay open without sending anything.
  clock.advance(LONG);
  must(await outcome, () => "a call afterwards did not end as it must");
}

/** A correct server. */
class Answering extends FuzzSocket {
  override async write(bytes: Uint8Array): Promise<void> {
    await super.write(bytes);
    for (const { start, end } of referenceDecode(bytes, LIMITS.maxPayload).frames) {
      const command: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end)));
      const { TrackId, Arguments = {} } = isObject(command) ? command : {};
      this.feed(frame(2, JSON.stringify({ TrackId, Response: Arguments })));
    }
  }
}
