/**
 * The summary of a recording, for people or as JSON.
 *
 * @module
 */

import type { Context } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import { words } from "../terminal/output.ts";
import { plural } from "../text/values.ts";
import { MCAP_ENDING } from "./open_recorder.ts";
import { summarizeLines, summarizeMcap } from "./summarize.ts";
import { rateOf, toSeconds } from "./summary.ts";

/** Whether an argument names a recording, and not a device. */
export function isRecording(argument: string): boolean {
  return /\.(?:mcap|ndjson|jsonl)$/.test(argument) || /^\.{0,2}\//.test(argument);
}

/** Shows what is in a recording. */
export async function showRecording(context: Context, path: string): Promise<void> {
  const { out, log } = context;
  const isMcap = path.endsWith(MCAP_ENDING);
  const summary = await (isMcap ? summarizeMcap(context, path) : summarizeLines(context, path));
  if (out.json) return await out.value(summary.json());
  const { format, isComplete, about } = summary;
  const facts = [plural(summary.messages, "message"), formatDuration(summary.duration)];
  for (const key of ["started", "mode", "driver", "hands", "raw"]) {
    if (about[key] !== undefined) facts.push(`${key} ${words(about[key])}`);
  }
  await out.line(facts.join(", "));
  const columns = [
    { name: "Topic" },
    { name: "Messages", right: true },
    { name: "Per second", right: true },
    { name: "Longest gap", right: true },
  ];
  const rows = summary.topics().map((topic) => [
    topic.topic,
    `${topic.messages}`,
    rateOf(topic)?.toFixed(1) ?? "",
    topic.messages < 2 ? "" : formatDuration(topic.longestGap),
  ]);
  if (rows.length > 0) await out.table(columns, rows);
  for (const { kind, time, details } of summary.moments) {
    const at = toSeconds(time - summary.start).toFixed(3);
    const { press, device, name, stream, reason } = details;
    const who = [device, name].map(words).filter((word) => word !== "").join(" ");
    const what = kind === "press"
      ? [words(press), who]
      : ["Motion lost", ...[stream, reason].map(words)];
    await out.line(`${at} s  ${what.join("  ")}`);
  }
  if (summary.moreMoments > 0) {
    await log(`${summary.moreMoments} more presses and lost connections are not shown`);
  }
  if (!isComplete && format === "mcap") {
    await log("It has no index: 'rcsp recover' writes one for other programs");
  }
}
