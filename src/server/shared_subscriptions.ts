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

/** An event, and who has received it: several subscriptions of one session may match. */
interface Delivery {
  readonly event: RcspEvent;
  readonly frame: Uint8Array;
  readonly reached: Set<Session>;
}

/** Counts the subscriptions of sessions, and sends them their events as they came. */
export class SharedSubscriptions {
  readonly #registry: SubscriptionRegistry;
  readonly #sessions = new WeakMap<Session, Map<string, Shared>>();
  #last: Delivery | undefined;

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
    if (this.#last?.event !== event) {
      this.#last = { event, frame: encodeFrame(PayloadType.Event, payload), reached: new Set() };
    }
    const { frame, reached } = this.#last;
    if (reached.has(session)) return;
    reached.add(session);
    session.send(frame);
  }
}

async function leave({ membership, accepted }: Shared): Promise<void> {
  accepted.reject(new ConnectionError("connection-closed", "Unsubscribed before the answer"));
  await membership.leave();
}
