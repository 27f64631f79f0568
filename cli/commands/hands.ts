/**
 * `rcsp hands`
 *
 * @module
 */

import { calibrateHand, type MotionDevice, type Sample } from "@rcsp/rcsp/motion";
import type { Command, Context } from "../command_line/command.ts";
import { durationFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { EXIT, Failure, UsageError } from "../exit_codes.ts";
import { type Calibrations, handJson, sampleJson, shownGroup } from "../motion/facts.ts";
import { handLines, sampleLines, sentenceLines } from "../motion/hand_view.ts";
import {
  MOTION_FLAGS,
  type MotionSession,
  openMotion,
  SILENCE,
  silence,
} from "../motion/session.ts";
import { readJson } from "../process/files.ts";
import { LiveView } from "../terminal/live_view.ts";
import { plural, quote } from "../text/values.ts";

/** Milliseconds between two drawings. */
const REDRAW = 80;
const CALIBRATION_BYTES = 64 * 1024;

/** Shows moving hands. */
export const hands: Command = {
  name: "hands",
  summary: "Show the fingers of both hands as they move",
  details: `In a terminal a live view: how far each finger is bent, the distance between the
tips of thumb and index finger, and how well the frames arrive. In a pipe one JSON
object for each frame of a hand; where nobody reads as fast, the newest frame wins.

A curl of 0 is an open finger, 1 a closed one, by rough spans. --calibration takes
your own: {"left": {"open": {"thumb": 5, …}, "closed": {…}}, "right": …} with the
degrees that this command shows of a flat hand and of a fist.

--raw shows the sensors of the driver's raw stream, as they come.`,
  flags: [
    ...MOTION_FLAGS,
    integerFlag("-n, --count N", "end after so many frames", {
      range: [1, Number.MAX_SAFE_INTEGER],
    }),
    durationFlag("--for TIME", "end after so long: 10s, 5m"),
    durationFlag("--interval TIME", "in a pipe: at most one frame of each hand in this time", {
      default: "0, every frame",
      range: [0, LONGEST_TIMER],
    }),
    textFlag("--calibration FILE", "curls of your own hands, as JSON"),
  ],
  prints: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp hands", "both hands, live"],
    ["rcsp hands --simulate", "without hardware"],
    ["rcsp hands --for 10s | jq -c '[.hand, .curls.index]'", "how far the index fingers bend"],
    ["rcsp hands --raw", "the sensors of the gloves"],
  ],
  async run(context) {
    const { line, clock, signal, out, io } = context;
    const calibrations = await readCalibrations(context, line.text("calibration"));
    const session = await openMotion(context);
    const over = new AbortController();
    const end = (): void => over.abort();
    signal.addEventListener("abort", end);
    const timer = line.number("for") === undefined
      ? undefined
      : clock.set(end, line.number("for")!);
    const isDrawn = !out.json && io.env("TERM") !== "dumb";
    session.failed.catch(end);
    const run: Run = { context, session, calibrations, over };
    try {
      const shown = isDrawn ? await draw(run) : await print(run);
      const { address } = session;
      await Promise.race([session.failed, Promise.resolve()]);
      if (shown === 0 && !signal.aborted) {
        throw new Failure(`No frame came from ${address} in time`, EXIT.timeout);
      }
      if (signal.aborted) await context.log(`${plural(shown, "frame")} received`);
    } finally {
      over.abort();
      signal.removeEventListener("abort", end);
      clock.clear(timer);
    }
  },
};

/** One run of the command. */
interface Run {
  readonly context: Context;
  readonly session: MotionSession;
  readonly calibrations: Calibrations;
  /** Aborted when it is over. */
  readonly over: AbortController;
}

/** A live view; returns how many frames it showed. */
async function draw({ context, session, calibrations, over }: Run): Promise<number> {
  const { line, io, out, clock, pause } = context;
  const { client, address } = session;
  const view = new LiveView(io.stdout, clock);
  const wanted = line.number("count") ?? Infinity;
  const began = clock.now();
  let frames = 0;
  client.on("sample", (sample, device) => {
    if (!isShown(sample, device, line.on("raw"))) return;
    if (++frames >= wanted) over.abort();
  });
  const lines = (): string[] => {
    const style = { columns: out.columns, paint: out.paint, now: now() };
    const devices = client.devices();
    const isSilent = client.stats().definitions === 0 && clock.now() - began > SILENCE;
    const state = isSilent && client.status.state === "ready"
      ? silence(address, line.on("raw"))
      : stateText(session, devices.length);
    const shown = line.on("raw")
      ? sampleLines(devices, style)
      : handLines(devices.filter(({ hand, error }) => hand ?? error), calibrations, style);
    return [...shown, ...sentenceLines(state, style, "faint")];
  };
  while (!over.signal.aborted) {
    await view.draw(lines());
    await pause(REDRAW, over.signal);
  }
  await view.draw(lines());
  return Math.min(frames, wanted);
}

/** A line of JSON for each frame; returns how many. */
async function print({ context, session, calibrations, over }: Run): Promise<number> {
  const { line, out, log, clock, pause } = context;
  const { client, address } = session;
  const raw = line.on("raw");
  const interval = line.number("interval") ?? 0;
  const wanted = line.number("count") ?? Infinity;
  // The newest frame of each: what is not written in time is replaced.
  const newest = new Map<Sample, MotionDevice>();
  let wake = (): void => {};
  const take = (sample: Sample, device: MotionDevice): void => {
    if (!isShown(sample, device, raw)) return;
    newest.set(sample, device);
    wake();
  };
  // Some may have come before anyone could listen.
  for (const device of client.devices()) {
    for (const { id } of device.definition?.groups ?? []) {
      const sample = device.sample(id);
      if (sample !== undefined) take(sample, device);
    }
  }
  client.on("sample", take);
  client.on("disconnect", (gone) => {
    for (const [sample, device] of newest) if (device === gone) newest.delete(sample);
  });
  tellStates(context, session);
  const silent = clock.set(() => {
    if (client.stats().definitions === 0) void log(silence(address, raw));
  }, SILENCE);
  context.defer(() => clock.clear(silent));
  over.signal.addEventListener("abort", () => wake());
  let shown = 0;
  while (!over.signal.aborted) {
    for (const [sample, device] of newest) {
      newest.delete(sample);
      await out.jsonLine(
        raw ? sampleJson(device, sample, now()) : handJson(device, sample, calibrations, now()),
      );
      if (++shown === wanted || over.signal.aborted) return shown;
    }
    const changed = new Promise<void>((resolve) => wake = resolve);
    if (newest.size === 0 && !over.signal.aborted) await changed;
    if (interval > 0) await pause(interval, over.signal);
  }
  return shown;
}

function isShown({ group }: Sample, device: MotionDevice, raw: boolean): boolean {
  return raw || group.id === shownGroup(device);
}

function tellStates({ log }: Context, { client, address }: MotionSession): void {
  const reported = new Set<MotionDevice>();
  const tellError = (device: MotionDevice): void => {
    if (device.error === undefined || reported.has(device)) return;
    reported.add(device);
    void log(device.error.message);
  };
  for (const device of client.devices()) tellError(device);
  client.on("error", (_error, device) => device && tellError(device));
  client.on("status", (status) => {
    if (status.state === "reconnecting" && status.attempt === 1) {
      void log(`${status.cause?.message ?? `Connection to ${address} ended`}. Connecting again`);
    }
  });
}

function stateText({ client, address }: MotionSession, devices: number): string {
  const { status } = client;
  const { backwards, wrongSize, undefinedData } = client.stats();
  const lost = backwards + wrongSize + undefinedData;
  if (status.state === "reconnecting") {
    return `${address} is gone: ${status.cause?.message}. Connecting again; Ctrl-C ends.`;
  }
  const counted = `${plural(devices, "device")}, ${plural(lost, "frame")} dropped`;
  return `${address}: ${status.state}, ${counted}. Ctrl-C ends.`;
}

async function readCalibrations({ io }: Context, path: string | undefined): Promise<Calibrations> {
  if (path === undefined) return {};
  const json = await readJson(io, path, CALIBRATION_BYTES);
  try {
    const entries = Object.entries(json ?? {}).map(([side, poses]) => {
      if (side !== "left" && side !== "right") throw new TypeError(`Unknown hand ${quote(side)}`);
      return [side, calibrateHand(poses as { open: unknown; closed: unknown })] as const;
    });
    return Object.fromEntries(entries);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot use calibration file ${quote(path)}: ${reason}`, { cause });
  }
}

/** The clock of `Sample.receivedAt`. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
