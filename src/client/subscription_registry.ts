/**
 * All subscriptions of a client.
 *
 * @module
 */

import { type Clock, DeadlineTimer } from "../timers.ts";
import { ConnectionError, type RcspError, TimeoutError } from "../errors.ts";
import { quote } from "../escape.ts";
import {
  decodeEvent,
  type EventFilter,
  filterKey,
  matches,
  type RcspEvent,
} from "../message/event.ts";
import { parseBody } from "../message/json.ts";
import { callUserCallback } from "../user_callback.ts";
import type { Client } from "./client.ts";
import type { ClientOptions } from "./options.ts";
import type { Membership, QueueTotals } from "./subscription.ts";
import { type EventSink, type Group, type Member, newGroup } from "./subscription_group.ts";

// A server may crash on a subscription, or not know its form: retries must end.
const MAX_HANG_UPS = 3;

/**
 * Routes events to their sinks and keeps the server's subscriptions in step: sinks with the same filter
 * share one command, the last one to leave unsubscribes, and a new connection subscribes again.
 */
export class SubscriptionRegistry {
  /** See `ClientStats`. */
  readonly counts = { events: 0, unmatched: 0, unreadable: 0 };
  /** Over the queues of all sinks. */
  readonly queues: QueueTotals = { waiting: 0, dropped: 0 };
  readonly #client: Client;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #timer: DeadlineTimer;
  /** When the current chunk was received, and the bytes received at its end. */
  #receivedAt = 0;
  #receivedBytes = -1;
  readonly #groups = new Map<string, Group>();
  readonly #members = new Set<Member>();
  /** Aborted at the end of each connection: its subscriptions end with it (assumed). */
  #connection: AbortController | undefined;
  /** The connection whose end was counted last. */
  #counted: AbortSignal | undefined;

  constructor(client: Client) {
    this.#client = client;
    this.#options = client.options;
    this.#clock = client.clock;
    this.#timer = new DeadlineTimer(client.clock, (now) => this.#expire(now), {
      progress: () => client.counts.bytesReceived,
    });
  }

  /** Adds a sink for a filter that was checked, or for everything that arrives. */
  add(filter: EventFilter | undefined, sink: EventSink): Membership {
    const group = filter && this.#groupOf(filter);
    const since = this.counts.events;
    const member: Member = { filter, group, sink, since, deadline: Infinity };
    this.#members.add(member);
    if (group === undefined || group.accepted) sink.onAccepted?.();
    else this.#timer.set(member.deadline = this.#clock.now() + this.#options.commandTimeout);
    // Last, as it may close the client.
    if (group !== undefined) this.#join(group, member);
    return { leave: () => this.#leave(member) };
  }

  /** Routes an event; one without a subscriber is not decoded. */
  receive(payload: Uint8Array): void {
    this.counts.events++;
    if (this.#members.size === 0) {
      this.counts.unmatched++;
      return;
    }
    // All events of one chunk have one time: reading the clock costs.
    const { bytesReceived } = this.#client.counts;
    if (bytesReceived !== this.#receivedBytes) {
      this.#receivedBytes = bytesReceived;
      this.#receivedAt = performance.timeOrigin + this.#clock.now();
    }
    let event: RcspEvent;
    try {
      const body = parseBody(payload, this.#options.maxDepth);
      event = decodeEvent(body, this.#options.dialect, this.#receivedAt);
    } catch (error) {
      // Its frame is intact, and nobody waits for it: the connection need not end.
      this.counts.unreadable++;
      const { onBadEvent } = this.#options;
      if (onBadEvent) callUserCallback(() => onBadEvent(error as RcspError));
      return;
    }
    const { events } = this.counts;
    for (const { filter, sink, since } of this.#members) {
      // One that a sink adds now is for the next event; a loop over them might never end.
      if (since === events) continue;
      if (filter === undefined || matches(event, filter)) sink.onEvent(event, payload);
    }
  }

  /**
   * A connection is open: subscribes to everything on it. The result resolves when the server has
   * answered each, or is `undefined` if there is nothing to subscribe to; it rejects with a
   * `TimeoutError` if the server leaves one unanswered.
   */
  online(): Promise<unknown> | undefined {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    if (this.#groups.size === 0) return undefined;
    const groups = [...this.#groups.values()];
    // One at a time shows on which of them the server hangs up.
    if (groups.some(({ hangUps }) => hangUps > 0)) return this.#subscribeInTurn(groups, signal);
    return Promise.all(groups.map((group) => this.#subscribe(group, signal, true)));
  }

  /** The connection has ended; another may come. */
  offline(cause: RcspError): void {
    this.#connection?.abort(cause);
    this.#connection = undefined;
    for (const { sink } of this.#members) sink.onGap?.();
    for (const presses of this.#client.allPresses) presses.onGap();
    for (const group of this.#groups.values()) group.requested = group.accepted = false;
  }

  /** Ends all subscriptions and unsubscribes. */
  async leaveAll(): Promise<void> {
    await Promise.all(Array.from(this.#members, (member) => {
      member.sink.onEnd?.(undefined);
      return this.#leave(member);
    }));
  }

  /** Ends all subscriptions without unsubscribing: the connection is closed. */
  end(error: unknown): void {
    this.#connection?.abort(error);
    this.#connection = undefined;
    this.#timer.clear();
    this.#groups.clear();
    const members = [...this.#members];
    this.#members.clear();
    for (const { sink } of members) sink.onEnd?.(error);
  }

  #groupOf(filter: EventFilter): Group {
    const key = filterKey(filter);
    const group = this.#groups.get(key) ?? newGroup(key, filter, this.#options.dialect);
    this.#groups.set(key, group);
    return group;
  }

  /** The first member subscribes, if there is a connection. */
  #join(group: Group, member: Member): void {
    group.members.add(member);
    if (group.members.size > 1 || this.#connection === undefined) return;
    this.#subscribe(group, this.#connection.signal, false);
  }

  async #subscribeInTurn(groups: Group[], signal: AbortSignal): Promise<void> {
    if (groups.some(({ hangUps }) => hangUps === MAX_HANG_UPS - 1)) {
      // A tunnel without a server behind it hangs up on everything: a harmless command shows that.
      const { heartbeat } = this.#options.dialect.commands;
      await this.#client.send(heartbeat, undefined, { signal, urgent: true }).catch((error) => {
        if (error instanceof TimeoutError) throw error;
      });
    }
    for (const group of groups) {
      if (signal.aborted) return;
      if (this.#isCurrent(group)) await this.#subscribe(group, signal, true);
    }
  }

  /** Resolves when the server has answered, or the connection has ended. */
  async #subscribe(group: Group, signal: AbortSignal, returning: boolean): Promise<void> {
    group.requested = true;
    try {
      await this.#client.send(group.subscribe, group.args, { signal, urgent: returning });
      group.hangUps = 0;
      group.accepted = !signal.aborted;
      for (const member of group.members) {
        member.deadline = Infinity;
        member.sink.onAccepted?.();
      }
    } catch (error) {
      // The last one who left has unsubscribed, and somebody may have subscribed again since.
      if (!this.#isCurrent(group)) return;
      const unanswered = returning && error instanceof TimeoutError;
      if (signal.aborted || unanswered) {
        // The next connection subscribes again.
        this.#countHangUp(group, signal, error);
        if (unanswered) throw error;
        return;
      }
      this.#drop(group, error);
      // The server may still accept it: the command to unsubscribe comes after it.
      if (error instanceof TimeoutError && error.sent) this.#unsubscribe(group);
    }
  }

  /** Of all that a connection left unanswered, the first is the one the server ended it on. */
  #countHangUp(group: Group, signal: AbortSignal, cause: unknown): void {
    if (this.#counted === signal) return;
    this.#counted = signal;
    if (++group.hangUps < MAX_HANG_UPS) return;
    const message = `Cannot subscribe to ${group.name} as ${MAX_HANG_UPS} connections ` +
      `in a row ended before the server answered ${quote(group.subscribe)}: ` +
      "if it expects other names, set them with the option 'dialect'";
    this.#drop(group, new ConnectionError("connection-closed", message, { cause, sent: true }));
  }

  /** Fails the members that were not accepted in time; returns the next deadline. */
  #expire(now: number): number {
    let next = Infinity;
    for (const member of this.#members) {
      if (member.deadline > now) next = Math.min(next, member.deadline);
      else this.#failLate(member, member.group!);
    }
    return next;
  }

  #failLate(member: Member, { name, requested, subscribe }: Group): void {
    const { commandTimeout } = this.#options;
    const reason = requested
      ? `the server did not answer ${quote(subscribe)}`
      : "there was no connection";
    const message = `Cannot subscribe to ${name}: ${reason} within ${commandTimeout} ms`;
    member.sink.onEnd?.(new TimeoutError(message, commandTimeout, requested));
    this.#leave(member);
  }

  #isCurrent(group: Group): boolean {
    return this.#groups.get(group.key) === group;
  }

  #drop(group: Group, error: unknown): void {
    this.#groups.delete(group.key);
    for (const member of group.members) {
      this.#members.delete(member);
      member.sink.onEnd?.(error);
    }
  }

  async #leave(member: Member): Promise<void> {
    const { group } = member;
    if (!this.#members.delete(member) || group === undefined) return;
    group.members.delete(member);
    if (group.members.size > 0 || !this.#isCurrent(group)) return;
    this.#groups.delete(group.key);
    if (group.requested) await this.#unsubscribe(group);
  }

  /** Resolves when the server has answered, even with an error. */
  async #unsubscribe({ unsubscribe, args }: Group): Promise<void> {
    if (this.#connection === undefined) return;
    const options = { signal: this.#connection.signal, unlimited: true };
    await this.#client.send(unsubscribe, args, options).catch(() => {});
  }
}
