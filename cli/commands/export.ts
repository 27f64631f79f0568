/**
 * `rcsp export`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { booleanFlag, textFlag } from "../command_line/flags.ts";
import { EXIT, Failure, UsageError } from "../exit_codes.ts";
import { exportBvh } from "../recording/bvh_export.ts";
import { exportCsv } from "../recording/csv_export.ts";
import { HandFiles } from "../recording/hand_files.ts";
import { type HandSample, handSamples } from "../recording/hand_samples.ts";
import { isMcap, MCAP_ENDING } from "../recording/open_recorder.ts";
import { openMcap, readWithProgress } from "../recording/open_recording.ts";
import { quote } from "../text/values.ts";

/** Writes the hands of a recording in other formats. */
export const exportRecording: Command = {
  name: "export",
  summary: "Write the hands of an MCAP file as CSV or BVH",
  details: `One file for each hand, named after the recording: take-left.csv, take-right.bvh.

CSV: a line for each sample: seconds since the start, the device's time stamp, and
7 numbers for each joint (position in meters, rotation as a quaternion x, y, z, w).
BVH: a skeleton with the proportions of the rest pose, in meters, at one rate; it
needs the solver's group joints_local.`,
  positionals: [{ name: "file", about: "what 'rcsp record' wrote" }],
  flags: [
    booleanFlag("--csv", "comma-separated values"),
    booleanFlag("--bvh", "a skeleton and its motion"),
    textFlag("--output NAME", "what the names of the files begin with"),
    booleanFlag("--force", "replace files that are there"),
  ],
  examples: [
    ["rcsp export take.mcap --csv", "take-left.csv and take-right.csv"],
    ["rcsp export take.mcap --bvh --output walk", "walk-left.bvh and walk-right.bvh"],
  ],
  async run(context) {
    const { line, io, log } = context;
    const [path = ""] = line.positionals;
    const formats = ["csv", "bvh"].filter((name) => line.on(name));
    if (formats.length === 0) throw new UsageError("Nothing to export: use --csv or --bvh");
    if (!isMcap(path)) {
      throw new UsageError(`'export' needs a file whose name ends in ${MCAP_ENDING}`);
    }
    const base = line.text("output") ?? path.slice(0, -MCAP_ENDING.length);
    let times = 0;
    async function* samples(): AsyncGenerator<HandSample> {
      const isAgain = times++ > 0;
      const reader = await openMcap(io, path);
      yield* handSamples(readWithProgress(context, path, reader, isAgain));
    }
    for (const format of formats) {
      const files = new HandFiles(context, base, `.${format}`);
      try {
        if (format === "csv") await exportCsv(samples(), files);
        else await exportBvh(samples, files, log);
      } finally {
        await files.close();
      }
      if (files.names.length === 0) {
        const need = format === "bvh" ? " with the group joints_local" : "";
        throw new Failure(`There are no hands${need} in ${quote(path)}`, EXIT.refused);
      }
      for (const name of files.names) await log(`Written ${name}`);
      if (files.isFull) await log(`Only the first ${files.names.length} hands are written`);
    }
  },
};
