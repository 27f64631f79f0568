/**
 * The commands of a client between `call()` and their response.
 *
 * @module
 */

import { type Clock, DeadlineTimer } from "../timers.ts";
import { CommandError, LimitError, ProtocolError, type RcspError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { encodeCommand } from "../message/command.ts";
import type { JsonObject } from "../message/json.ts";
import { readError, readResponse, readTrackId } from "../message/response.ts";
import { quote } from "../escape.ts";
import { formatAddress } from "../socket/address.ts";
import { utf8LengthIfOver } from "../wire/encoder.ts";
import { payloadLimitError, PayloadType } from "../wire/header.ts";
import { type Call, type CallRequest, endedError, timeoutError } from "./call.ts";
import type { ClientOptions } from "./options.ts";

type QueueOptions = Pick<ClientOptions, "address" | "dialect" | "maxPayload" | "maxPending">;

// EWMA weight of an RTT sample (RFC 6298 alpha).
const RTT_ALPHA = 1 / 8;

/**
 * Queues commands and matches responses to them.
 *
 * Responses arrive in the order of the commands and carry no other order. So a call that is abandoned
 * after it was sent keeps its place, and its late response is dropped. Every call settles exactly once:
 * with a response, an error, a timeout, an abort, or the end of the connection.
 */
export class CallQueue {
  /** Smoothed time from call to response in milliseconds, after the first response. */
  roundTrip: number | undefined;
  /** See `ClientStats`. */
  readonly counts = { sent: 0, answered: 0, failed: 0, late: 0, timedOut: 0 };
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #urgent = new Fifo<Call>();
  readonly #queued = new Fifo<Call>();
  readonly #inFlight = new Fifo<Call>();
  #abandonedQueued = 0;
  #abandonedInFlight = 0;
  #lastTrackId = 0;
  // One command at a time is measured, at no cost for the others.
  #rttProbe: Call | undefined;
  #unsettled = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  readonly #timer: DeadlineTimer;

  /** `received` returns the bytes received so far. */
  constructor(options: QueueOptions, clock: Clock, received: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#timer = new DeadlineTimer(clock, (now) => this.#expire(now), { progress: received });
  }

  /** Calls that wait to be sent. */
  get queued(): number {
    return this.#urgent.length + this.#queued.length - this.#abandonedQueued;
  }

  /** Commands without a response so far, abandoned ones included. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Commands without a response so far, abandoned ones excluded. */
  get pendingReplies(): number {
    return this.#inFlight.length - this.#abandonedInFlight;
  }

  /** True if `maxPending` abandoned commands fill the queue: only a new connection helps. */
  get stuck(): boolean {
    return this.pendingReplies === 0 && this.inFlight >= this.#options.maxPending;
  }

  /** Resolves when no call is pending. */
  async idle(): Promise<void> {
    if (this.#unsettled === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Adds a call. Rejects immediately if it cannot be sent. */
  add(request: CallRequest): Promise<JsonObject> {
    const { name, version, args, timeout, signal, urgent, unlimited = urgent, onRaw } = request;
    const { maxPending, maxPayload } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!unlimited && this.queued + this.inFlight >= maxPending) {
      return Promise.reject(
        new LimitError(
          `Cannot send command ${quote(name)} as 'maxPending' (${maxPending}) is reached: ` +
            "wait for responses before sending more",
          "maxPending",
          maxPending,
        ),
      );
    }
    const trackId = String(this.#lastTrackId + 1);
    const json = encodeCommand(name, trackId, version, args);
    const size = utf8LengthIfOver(json, maxPayload);
    if (size !== undefined) {
      const action = `Cannot send command ${quote(name)}`;
      return Promise.reject(payloadLimitError(action, size, maxPayload));
    }
    this.#lastTrackId++;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const call: Call = {
      name,
      trackId,
      timeout,
      signal,
      json,
      deadline: this.#clock.now() + timeout,
      onRaw,
      resolve,
      reject,
      sent: false,
      settled: false,
    };
    if (signal) {
      call.onAbort = (): void => this.#abandon(call, signal.reason);
      signal.addEventListener("abort", call.onAbort);
    }
    (urgent ? this.#urgent : this.#queued).push(call);
    this.#unsettled++;
    this.#timer.set(call.deadline);
    return promise;
  }

  /** Moves the next call in flight and returns its JSON; `undefined` if none is queued. */
  dequeue(): string | undefined {
    return this.dequeueUrgent() ?? this.#dequeueFrom(this.#queued);
  }

  /** The same for urgent calls only. */
  dequeueUrgent(): string | undefined {
    return this.#dequeueFrom(this.#urgent);
  }

  #dequeueFrom(queue: Fifo<Call>): string | undefined {
    for (;;) {
      const call = queue.shift();
      if (call === undefined) return undefined;
      if (call.settled) {
        this.#abandonedQueued--;
        continue;
      }
      call.sent = true;
      this.counts.sent++;
      this.#inFlight.push(call);
      this.#rttProbe ??= call;
      const { json } = call;
      call.json = "";
      return json;
    }
  }

  /**
   * Settles the oldest call in flight with a response. `payload` is its text.
   *
   * @throws {ProtocolError} If no call is in flight, or the response is for another.
   */
  onResponse(type: PayloadType, body: JsonObject, payload: Uint8Array): void {
    const { dialect } = this.#options;
    const call = this.#inFlight.peek();
    const trackId = readTrackId(body, dialect);
    if (call === undefined) {
      throw new ProtocolError("unexpected-response", "Cannot match response", {
        expected: "none, as no command is in flight",
        received: trackId === undefined ? "one" : `one with TrackId ${quote(trackId)}`,
      });
    }
    if (trackId !== undefined && trackId !== call.trackId) {
      throw new ProtocolError("out-of-step", `Cannot match response to ${quote(call.name)}`, {
        expected: `TrackId '${call.trackId}'`,
        received: quote(trackId),
      });
    }
    const error = type === PayloadType.ResponseError ? readError(body) : undefined;
    const response = error ? undefined : readResponse(body);
    this.#inFlight.shift();
    if (this.#rttProbe === call) this.#measure(call);
    if (call.settled) {
      this.#abandonedInFlight--;
      this.counts.late++;
    } else {
      this.counts[response ? "answered" : "failed"]++;
      this.#settle(call);
      call.onRaw?.(type, payload);
      if (response || call.onRaw) call.resolve(response ?? {});
      else call.reject(new CommandError(error!, { command: call.name, trackId: call.trackId }));
    }
  }

  /** Rejects the calls in flight: their connection has ended. */
  rejectInFlight(cause: RcspError): void {
    this.#rttProbe = undefined;
    this.#abandonedInFlight = 0;
    this.#rejectAll(this.#inFlight, cause);
  }

  /** Rejects the queued calls: there will be no further connection. */
  rejectQueued(cause: RcspError): void {
    this.#abandonedQueued = 0;
    this.#rejectAll(this.#urgent, cause);
    this.#rejectAll(this.#queued, cause);
    this.#timer.clear();
  }

  #rejectAll(queue: Fifo<Call>, cause: RcspError): void {
    for (const call of queue.takeAll()) {
      if (call.settled) continue;
      this.#settle(call);
      call.reject(endedError(call, cause));
    }
  }

  #abandon(call: Call, reason: unknown): void {
    if (call.settled) return;
    this.#settle(call);
    if (call.sent) this.#abandonedInFlight++;
    else this.#compactQueued();
    call.reject(reason);
  }

  #measure(call: Call): void {
    const sample = this.#clock.now() - (call.deadline - call.timeout);
    this.#rttProbe = undefined;
    this.roundTrip = this.roundTrip === undefined
      ? sample
      : this.roundTrip + (sample - this.roundTrip) * RTT_ALPHA;
  }

  /** Keeps abandoned calls from piling up while nothing is sent. */
  #compactQueued(): void {
    if (++this.#abandonedQueued * 2 < this.#queued.length) return;
    this.#urgent.filter((call) => !call.settled);
    this.#queued.filter((call) => !call.settled);
    this.#abandonedQueued = 0;
  }

  #settle(call: Call): void {
    call.settled = true;
    if (call.onAbort) call.signal!.removeEventListener("abort", call.onAbort);
    if (--this.#unsettled > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** Times out the calls that are due; returns the next deadline. */
  #expire(now: number): number {
    const expired: Call[] = [];
    let next = Infinity;
    const look = (call: Call): void => {
      if (call.settled) return;
      if (call.deadline <= now) expired.push(call);
      else next = Math.min(next, call.deadline);
    };
    for (const queue of [this.#urgent, this.#queued, this.#inFlight]) queue.forEach(look);
    for (const call of expired) {
      this.counts.timedOut++;
      this.#abandon(call, timeoutError(call, formatAddress(this.#options.address)));
    }
    return next;
  }
}
