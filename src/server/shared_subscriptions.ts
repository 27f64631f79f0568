/**
 * Subscriptions of a server's clients, shared with its client.
 *
 * @module
 */

import type { Membership } from "../client/subscription.ts";
import type { SubscriptionRegistry } from "../client/subscription_registry.ts";
import { ConnectionError } from "../errors.ts";
import { type EventFilter, filterKey, type RcspEvent } from "../message/event.ts";
import { encodeFrame } from "../wire/encoder.ts";
import { PayloadType } from "../wire/header.ts";
import type { Session } from "./session.ts";

interface Shared {
  readonly membership: Membership;
  /** Settles with the driver's answer. */
  readonly accepted: PromiseWithResolvers<void>;
}

/** Counts the subscriptions of sessions, and sends them their events as they came. */
export class SharedSubscriptions {
  readonly #registry: SubscriptionRegistry;
  readonly #sessions = new WeakMap<Session, Map<string, Shared>>();
  /** The last event as a frame, and who has received it: several subscriptions of one may match. */
  #event: RcspEvent | undefined;
  #frame: Uint8Array = new Uint8Array(0);
  readonly #reached = new Set<Session>();

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
    const membership = this.#registry.add(filter, {
      onEvent: (event, payload) => this.#send(session, event, payload),
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
      },
    });
    shared.set(key, { membership, accepted });
    await accepted.promise;
  }

  /** Unsubscribes a session; resolves when the driver has answered, if it was the last one. */
  async unsubscribe(session: Session, filter: EventFilter): Promise<void> {
    session.unsubscribe(filter);
    const shared = this.#of(session);
    const key = filterKey(filter);
    const found = shared.get(key);
    shared.delete(key);
    if (found !== undefined) await leave(found);
  }

  #of(session: Session): Map<string, Shared> {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const shared = new Map<string, Shared>();
    this.#sessions.set(session, shared);
    session.closed.then(() => {
      // A command that waited may subscribe once more.
      this.#sessions.delete(session);
      for (const each of shared.values()) leave(each);
    });
    return shared;
  }

  #send(session: Session, event: RcspEvent, payload: Uint8Array): void {
    if (this.#event !== event) {
      this.#event = event;
      this.#frame = encodeFrame(PayloadType.Event, payload);
      this.#reached.clear();
    }
    if (this.#reached.has(session)) return;
    this.#reached.add(session);
    session.send(this.#frame);
  }
}

async function leave({ membership, accepted }: Shared): Promise<void> {
  accepted.reject(new ConnectionError("connection-closed", "Unsubscribed before the answer"));
  await membership.leave();
}
