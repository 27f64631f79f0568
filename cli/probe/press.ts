/**
 * Waiting for a press, with every way of subscribing on a connection of its own: the one that is told
 * of the press is one that works.
 *
 * @module
 */

import type { ConnectOptions, DeviceId, Dialect, JsonObject } from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { openRawSession, type RawSession } from "./raw_connection.ts";
import { type Keys, subscribeArguments } from "./subscription_keys.ts";

/** Milliseconds for the other connections to be told of the same press. */
const GRACE = 300;

/** What came in by one way of subscribing. */
export interface Heard {
  readonly keys: Keys;
  readonly events: readonly JsonObject[];
}

/** Subscribes in each way, waits, and takes everything back. */
export async function waitForPress(
  context: Context,
  options: {
    server: ConnectOptions;
    dialect: Dialect;
    deviceId: DeviceId;
    ways: readonly Keys[];
    length: number;
  },
): Promise<Heard[]> {
  const { clock, signal } = context;
  const { server, dialect, deviceId, ways, length } = options;
  const opened: { session: RawSession; keys: Keys }[] = [];
  const pressed = new AbortController();
  const leave = (): void => pressed.abort();
  signal.addEventListener("abort", leave);
  try {
    for (const [i, keys] of ways.entries()) {
      const trackId = 7_320_000_000 + i * 1_000 + 1;
      const session = await openRawSession(server, { clock, signal, trackId });
      opened.push({ session, keys });
      session.onEvent = (event) => {
        if (findPressType(event) !== undefined) pressed.abort();
      };
      await session.ask(
        dialect.commands.deviceSubscribe,
        subscribeArguments(dialect, keys, deviceId),
      );
    }
    await context.pause(length, pressed.signal);
    if (pressed.signal.aborted) await context.pause(GRACE);
    for (const { session, keys } of opened) {
      const args = subscribeArguments(dialect, keys, deviceId);
      await session.ask(dialect.commands.deviceUnsubscribe, args);
    }
    return opened.map(({ session, keys }) => ({ keys, events: [...session.events] }));
  } finally {
    signal.removeEventListener("abort", leave);
    await Promise.all(opened.map(({ session }) => session.close()));
  }
}
