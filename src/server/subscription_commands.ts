/**
 * The four subscription commands.
 *
 * @module
 */

import { type Dialect, readPath } from "../dialect.ts";
import type { CommandError } from "../errors.ts";
import type { Command, DeviceId } from "../message/command.ts";
import type { EventFilter } from "../message/event.ts";
import type { Handler, HandlerContext } from "./command_context.ts";
import { refusal } from "./refusal.ts";
import type { RcspServer } from "./server.ts";
import type { Session } from "./session.ts";

/** Carries out a subscription command. */
export type SubscriptionHandler = (
  session: Session,
  topic: EventFilter,
  context: HandlerContext,
) => void | Promise<void>;

/** Sets the handlers of the commands that subscribe, and of those that unsubscribe. */
export function handleSubscriptions(
  server: RcspServer,
  subscribe: SubscriptionHandler,
  unsubscribe: SubscriptionHandler,
): void {
  const { dialect } = server;
  const handler = (handle: SubscriptionHandler, ofDevice: boolean): Handler => (command, context) =>
    handle(context.client as Session, readTopic(command, ofDevice, dialect), context);
  server.handle(dialect.commands.subscribe, handler(subscribe, false));
  server.handle(dialect.commands.deviceSubscribe, handler(subscribe, true));
  server.handle(dialect.commands.unsubscribe, handler(unsubscribe, false));
  server.handle(dialect.commands.deviceUnsubscribe, handler(unsubscribe, true));
}

/** Throws a `CommandError` if an argument is missing. */
function readTopic(
  { Command, Arguments }: Command,
  device: boolean,
  dialect: Dialect,
): EventFilter {
  const missing = (path: string, what: string): CommandError =>
    refusal(dialect, "badArguments", `${Command} needs ${what} in 'Arguments.${path}'`);
  const text = (path: string): string => {
    const value = readPath(Arguments, path);
    if (typeof value === "string") return value;
    throw missing(path, "a string");
  };
  const { subscription } = dialect;
  const filter = { publisher: text(subscription.publisher), topic: text(subscription.topic) };
  if (!device) return filter;
  const deviceId = readPath(Arguments, subscription.deviceId) ?? undefined;
  if (deviceId === undefined) throw missing(subscription.deviceId, "a device id");
  return { ...filter, deviceId: deviceId as DeviceId };
}
