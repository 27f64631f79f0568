/**
 * `rcsp watch`
 *
 * @module
 */

import { LIMITS } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import type { Command } from "../command_line/command.ts";
import { booleanFlag, durationFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { Watch } from "../driver/device_subscriptions.ts";
import { parseTopic } from "../driver/topic_argument.ts";
import { plural } from "../text/values.ts";

/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 500;
/** Shows events. */
export const watch: Command = {
  name: "watch",
  summary: "Show events as they come, such as button presses",
  details: `A topic is a publisher and a topic with a slash between; DeviceEvents/ButtonPushed
by default. It is requested on every device, those that come later included, or
on those of --device, or on the driver itself with --driver. One event a line: text in a
terminal, JSON in a pipe.

--exec splits COMMAND at spaces and runs it without a shell. It gets the event in
RCSP_EVENT (JSON), RCSP_PRESS, RCSP_DEVICE_ID, RCSP_DEVICE_NAME, RCSP_PUBLISHER
and RCSP_TOPIC. Under Deno that needs -A.

A driver that goes away is waited for. Ctrl-C unsubscribes and ends.`,
  positionals: [{
    name: "publisher/topic",
    about: "what to watch",
    optional: true,
    multiple: true,
  }],
  flags: [
    textFlag("-d, --device ID", "a device, by its DeviceId", {
      default: "every device that is listed",
      multiple: true,
    }),
    booleanFlag("--driver", "ask the driver, not devices (Subscribe)", { excludes: ["device"] }),
    integerFlag("-n, --count N", "end after so many events", {
      range: [1, Number.MAX_SAFE_INTEGER],
    }),
    durationFlag("--for TIME", "end after so long: 10s, 5m"),
    textFlag("--exec COMMAND", "run this for each event, in place of showing it"),
    booleanFlag("-t, --timestamps", "say when each event came (UTC)"),
    booleanFlag("--raw", "the JSON of each event as the driver sent it"),
    integerFlag("--buffer N", "most events that wait to be written; the oldest are dropped", {
      default: `${LIMITS.buffer}`,
      range: [1, 1_000_000],
    }),
  ],
  connects: true,
  simulates: true,
  prints: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp watch", "button presses of every device"],
    ["rcsp watch --device 1 --count 1", "wait for one press"],
    ["rcsp watch --for 10s --timestamps --raw > events.ndjson", "keep ten seconds"],
    ["rcsp watch --simulate --exec env", "what a command gets for each press"],
    ["rcsp watch --simulate", "without hardware"],
  ],
  async run(context) {
    const { line, signal } = context;
    const names = resolveDialect((await context.server()).dialect);
    const topics = line.positionals.length === 0
      ? [names.button]
      : line.positionals.map(parseTopic);
    const rcsp = await context.connect({
      reconnect: true,
      drain: true,
      pressEvery: PRESS_EVERY,
    });
    const watching = new Watch(context, rcsp, topics);
    try {
      await watching.run();
    } catch (error) {
      // Ctrl-C ends the client, which is not a failure.
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) await context.log(`${plural(watching.shown, "event")} shown`);
  },
};
