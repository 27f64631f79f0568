/**
 * Checks CallQueue against a simple model with random sequences: each call settles once, as
 * predicted.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { CallQueue } from "../src/client/call_queue.ts";
import { DIALECT } from "../src/dialect.ts";
import { CommandError, ConnectionError, LimitError, TimeoutError } from "../src/errors.ts";
import { PayloadType } from "../src/wire/header.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";

const NO_PAYLOAD = new Uint8Array();

const SEQUENCES = 10_000;
const MAX_PENDING = 12;
const OPTIONS = {
  address: { host: "test", port: 1 },
  dialect: DIALECT,
  maxPayload: 1000,
  maxPending: MAX_PENDING,
};

/** One step of a sequence. */
type Step =
  | { readonly do: "call"; readonly timeout: number; readonly urgent: boolean }
  | { readonly do: "abort"; readonly which: number }
  | { readonly do: "take"; readonly count: number }
  | { readonly do: "answer"; readonly how: "ok" | "error" | "no id" }
  | { readonly do: "wait"; readonly time: number }
  | { readonly do: "cut" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("call"),
      timeout: fc.integer({ min: 1, max: 60 }),
      urgent: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("abort"), which: fc.nat(30) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("take"), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("answer"),
      how: fc.constantFrom("ok", "error", "no id"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait"), time: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cut") }) },
) as fc.Arbitrary<Step>;

/** The expected outcome of a call. */
type Fate = "open" | "ok" | "error" | "aborted" | "timeout" | "unsent" | "cut" | "full";

interface ModelCall {
  readonly id: number;
  readonly deadline: number;
  readonly controller: AbortController;
  fate: Fate;
  /** The actual outcomes, one for each time that it settled. */
  readonly settled: unknown[];
  listeners: number;
}

/** Model of the queue with plain arrays. */
class Model {
  readonly clock = new FakeClock();
  readonly queue = new CallQueue(OPTIONS, this.clock, () => 0);
  readonly calls: ModelCall[] = [];
  #urgent: ModelCall[] = [];
  #waiting: ModelCall[] = [];
  #inFlight: ModelCall[] = [];
  /** The TrackIds that the queue has assigned, as they appear on the wire. */
  readonly #trackIds = new Map<ModelCall, string>();

  run(step: Step): void {
    switch (step.do) {
      case "call":
        return this.#call(step.timeout, step.urgent);
      case "abort":
        return this.#abort(this.calls[step.which % (this.calls.length || 1)]);
      case "take":
        return this.#take(step.count);
      case "answer":
        return this.#answer(step.how);
      case "wait":
        return this.#wait(step.time);
      case "cut":
        return this.#cut();
    }
  }

  /** Checks the queue's counters after each step. */
  check(): void {
    const open = (list: ModelCall[]): number => list.filter(({ fate }) => fate === "open").length;
    const { queued, inFlight, pendingReplies } = this.queue;
    assertEquals({ queued, inFlight, pendingReplies }, {
      queued: open(this.#urgent) + open(this.#waiting),
      inFlight: this.#inFlight.length,
      pendingReplies: open(this.#inFlight),
    });
  }

  /** Closes the client: all pending calls must settle. */
  finish(): void {
    this.#cut();
    this.queue.rejectQueued(new ConnectionError("connection-closed", "closed"));
    for (const call of this.calls) if (call.fate === "open") call.fate = "unsent";
  }

  #call(timeout: number, urgent: boolean): void {
    const controller = new AbortController();
    const call: ModelCall = {
      id: this.calls.length,
      deadline: this.clock.now() + timeout,
      controller,
      fate: "open",
      settled: [],
      listeners: 0,
    };
    const { signal } = controller;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      call.listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      call.listeners--;
      removeEventListener.apply(signal, args);
    };
    const open = (list: ModelCall[]): ModelCall[] => list.filter(({ fate }) => fate === "open");
    const pending = open(this.#urgent).length + open(this.#waiting).length + this.#inFlight.length;
    if (!urgent && pending >= MAX_PENDING) call.fate = "full";
    else (urgent ? this.#urgent : this.#waiting).push(call);
    this.calls.push(call);
    const name = `Call${call.id}`;
    this.queue.add({ name, version: 1, args: undefined, timeout, signal, urgent })
      .then((value) => call.settled.push(value), (error) => call.settled.push(error));
  }

  #abort(call: ModelCall | undefined): void {
    call?.controller.abort("aborted");
    if (call?.fate === "open") call.fate = "aborted";
  }

  #take(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#urgent = this.#urgent.filter(({ fate }) => fate === "open");
      this.#waiting = this.#waiting.filter(({ fate }) => fate === "open");
      const expected = this.#urgent.shift() ?? this.#waiting.shift();
      const json = this.queue.dequeue();
      assertStrictEquals(json === undefined, expected === undefined);
      if (json === undefined || expected === undefined) return;
      const { Command, TrackId } = JSON.parse(json);
      assertStrictEquals(Command, `Call${expected.id}`);
      this.#trackIds.set(expected, TrackId);
      this.#inFlight.push(expected);
    }
  }

  #answer(how: "ok" | "error" | "no id"): void {
    const call = this.#inFlight.shift();
    if (call === undefined) return;
    const id = how === "no id" ? {} : { TrackId: this.#trackIds.get(call)! };
    if (how === "error") {
      this.queue.onResponse(
        PayloadType.ResponseError,
        { ...id, Error: { Code: call.id } },
        NO_PAYLOAD,
      );
    } else {
      this.queue.onResponse(
        PayloadType.ResponseOk,
        { ...id, Response: { id: call.id } },
        NO_PAYLOAD,
      );
    }
    if (call.fate === "open") call.fate = how === "error" ? "error" : "ok";
  }

  #wait(time: number): void {
    this.clock.advance(time);
    for (const call of this.calls) {
      if (call.fate === "open" && call.deadline <= this.clock.now()) call.fate = "timeout";
    }
  }

  #cut(): void {
    this.queue.rejectInFlight(new ConnectionError("connection-reset", "cut"));
    for (const call of this.#inFlight) if (call.fate === "open") call.fate = "cut";
    this.#inFlight = [];
  }
}

function check({ id, fate, settled, listeners }: ModelCall): void {
  assertStrictEquals(settled.length, 1, `call ${id} settled ${settled.length} times`);
  assertStrictEquals(listeners, 0, `call ${id} left ${listeners} listeners`);
  const [outcome] = settled;
  switch (fate) {
    case "ok":
      return assertEquals(outcome, { id });
    case "error":
      assert(outcome instanceof CommandError);
      assertStrictEquals(outcome.command, `Call${id}`);
      return assertStrictEquals(outcome.errorCode, id);
    case "aborted":
      return assertStrictEquals(outcome, "aborted");
    case "timeout":
      return assert(outcome instanceof TimeoutError);
    case "full":
      return assert(outcome instanceof LimitError);
    case "cut":
      return assert(outcome instanceof ConnectionError && outcome.sent);
    case "unsent":
      return assert(outcome instanceof ConnectionError && !outcome.sent);
    case "open":
      throw new Error(`call ${id} is open at the end`);
  }
}

test(`in ${SEQUENCES} random sequences each call settles once, with its own response or an error`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      for (const step of steps) {
        model.run(step);
        model.check();
      }
      model.finish();
      // All calls settle in microtasks; their longest chain here is short.
      for (let i = 0; i < 5; i++) await Promise.resolve();
      model.calls.forEach(check);
      assertStrictEquals(model.clock.timers, 0);
      assertEquals([model.queue.queued, model.queue.inFlight, model.queue.pendingReplies], [
        0,
        0,
        0,
      ]);
    }),
    { numRuns: SEQUENCES },
  );
});
