/**
 * Subscriptions of a server's clients, shared with its client.
 *
 * @module
 */

import type {
  EventSink,
  Membership,
  SubscriptionRegistry,
} from "../client/subscription_registry.ts";
import { ConnectionError } from "../errors.ts";
import { type EventFilter, filterKey, matches, type RcspEvent } from "../message/event.ts";
import { encodeFrame } from "../wire/encoder.ts";
import { PayloadType } from "../wire/header.ts";
import type { Session } from "./session.ts";

interface Shared {
  readonly filter: EventFilter;
  readonly membership: Membership;
  /** Settles with the driver's answer. */
  readonly accepted: PromiseWithResolvers<void>;
}

/** Counts the subscriptions of sessions, and sends them their events as they came. */
export class SharedSubscriptions {
  readonly #registry: SubscriptionRegistry;
  readonly #sessions = new Map<Session, Map<string, Shared>>();
  readonly #watched = new WeakSet<Session>();
  /** Receives all events while there is a subscription. */
  #events: Membership | undefined;

  constructor(registry: SubscriptionRegistry) {
    this.#registry = registry;
  }

  /** Subscribes a session; resolves when the driver has accepted. A second time changes nothing. */
  async subscribe(session: Session, filter: EventFilter): Promise<void> {
    session.subscribe(filter);
    const shared = this.#of(session);
    const key = filterKey(filter);
    const before = shared.get(key);
    if (before !== undefined) return await before.accepted.promise;
    const accepted = Promise.withResolvers<void>();
    accepted.promise.catch(() => {});
    let answered = false;
    const sink: EventSink = {
      onEvent: () => {},
      onAccepted: () => {
        answered = true;
        accepted.resolve();
      },
      onEnd: (error) => {
        shared.delete(key);
        session.unsubscribe(filter);
        accepted.reject(error ?? new ConnectionError("connection-closed", "The client was closed"));
        // Its events would be missing without a word.
        if (answered) error === undefined ? session.close() : session.disconnect(error);
        this.#tidy(session);
      },
    };
    shared.set(key, { filter, membership: this.#registry.add(filter, sink), accepted });
    await accepted.promise;
  }

  /** Unsubscribes a session; resolves when the driver has answered, if it was the last one. */
  async unsubscribe(session: Session, filter: EventFilter): Promise<void> {
    session.unsubscribe(filter);
    const shared = this.#sessions.get(session);
    const key = filterKey(filter);
    const found = shared?.get(key);
    if (found === undefined) return;
    shared!.delete(key);
    await this.#leave(found);
    this.#tidy(session);
  }

  #of(session: Session): Map<string, Shared> {
    let shared = this.#sessions.get(session);
    if (shared === undefined) {
      this.#sessions.set(session, shared = new Map());
      this.#watch(session);
    }
    this.#events ??= this.#registry.add(undefined, {
      onEvent: (event, payload) => this.#send(event, payload),
      onEnd: () => void (this.#events = undefined),
    });
    return shared;
  }

  /** Once per session, however often it subscribes. */
  #watch(session: Session): void {
    if (this.#watched.has(session)) return;
    this.#watched.add(session);
    session.closed.then(() => this.#leaveAll(session));
  }

  #send(event: RcspEvent, payload: Uint8Array): void {
    let frame: Uint8Array | undefined;
    for (const [session, shared] of this.#sessions) {
      for (const { filter } of shared.values()) {
        if (!matches(event, filter)) continue;
        session.send(frame ??= encodeFrame(PayloadType.Event, payload));
        break;
      }
    }
  }

  #leaveAll(session: Session): void {
    const shared = this.#sessions.get(session);
    this.#sessions.delete(session);
    for (const each of shared?.values() ?? []) this.#leave(each);
    this.#tidy(session);
  }

  async #leave({ membership, accepted }: Shared): Promise<void> {
    accepted.reject(new ConnectionError("connection-closed", "Unsubscribed before the answer"));
    await membership.leave();
  }

  #tidy(session: Session): void {
    if (this.#sessions.get(session)?.size === 0) this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    this.#events?.leave();
    this.#events = undefined;
  }
}
