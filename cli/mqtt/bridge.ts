/**
 * Drivers on one side, a broker on the other.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import type { Context } from "../command_line/command.ts";
import { withDrivers } from "../driver/several_drivers.ts";
import { boundedLog } from "../simulate/accept_clients.ts";
import { plural } from "../text/values.ts";
import { RefusalLog } from "../terminal/refusal_log.ts";
import { Broker } from "./broker.ts";
import type { BrokerMessage } from "./broker_connection.ts";
import type { BrokerAddress } from "./broker_url.ts";
import { DriverBridge, type Site } from "./driver_bridge.ts";
import { type HandOptions, publishHands } from "./hands.ts";
import { HomeAssistant } from "./home_assistant.ts";
import { Presence } from "./presence.ts";
import { commandFilters, LED_COMMAND, RemoteCommands } from "./remote_commands.ts";
import type { Topics } from "./topics.ts";

/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 1_000;

/** What the command line says. */
export interface BridgeOptions {
  readonly address: BrokerAddress;
  readonly topics: Topics;
  readonly allowed: ReadonlySet<string>;
  readonly homeAssistant: boolean;
  /** The hands too. */
  readonly hands: HandOptions | undefined;
}

/** Publishes until Ctrl-C. Rejects if no driver can be reached. */
export async function runBridge(context: Context, options: BridgeOptions): Promise<void> {
  const { address, topics, allowed } = options;
  const { signal, clock, log } = context;
  const bridges: DriverBridge[] = [];
  const broker = new Broker({
    address,
    clientId: `rcsp-${randomBytes(6).toString("hex")}`,
    will: { topic: topics.status, payload: "offline" },
    filters: {
      [topics.anyAvailability]: { qos: 1, rh: 0 },
      ...commandFilters(topics, allowed),
    },
    onMessage: (message) => onMessage(message),
    clock,
    log,
    pause: (milliseconds, until) => context.pause(milliseconds, until),
  });
  const homeAssistant = options.homeAssistant
    ? new HomeAssistant(broker, topics, allowed.has(LED_COMMAND))
    : undefined;
  const presence = new Presence({
    broker,
    topics,
    now: () => clock.now(),
    onForget: (level) => homeAssistant?.remove(level),
  });
  const site: Site = { context, broker, topics, presence, homeAssistant };
  const refusals = new RefusalLog(clock, boundedLog(context));
  const commands = new RemoteCommands({
    site,
    allowed,
    bridges,
    signal,
    log: (text) => refusals.add(text),
  });
  const onMessage = (message: BrokerMessage): void => {
    if (!message.topic.endsWith("/availability")) return commands.onMessage(message);
    const level = topics.deviceOf(message.topic);
    if (message.retain && message.payload.length > 0) presence.onRetained(level);
  };
  let running: Promise<void> | undefined;
  context.defer(async () => {
    presence.close();
    broker.retain(topics.status, "offline");
    await broker.close();
    await running;
    if (running === undefined) return;
    const { sent, dropped, expired } = broker.presses;
    const lost = dropped + expired > 0 ? `, ${dropped + expired} dropped` : "";
    await log(`${plural(sent, "button press").replace(/presss$/, "presses")} published${lost}`);
  });
  await withDrivers(
    context,
    {
      reconnect: true,
      drain: true,
      pressEvery: PRESS_EVERY,
      motion: options.hands !== undefined,
    },
    async ({ rcsp, name, server }) => {
      if (running === undefined) {
        broker.retain(topics.status, "online");
        running = broker.run();
      }
      const bridge = new DriverBridge(site, rcsp, name);
      bridges.push(bridge);
      if (options.hands !== undefined) publishHands(context, site, name, server, options.hands);
      await bridge.run(signal);
    },
  );
}
