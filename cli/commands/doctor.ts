/**
 * `rcsp doctor`
 *
 * @module
 */

import { connect, ConnectionError } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Command, Context, Driver } from "../command_line/command.ts";
import { booleanFlag, durationFlag, textFlag } from "../command_line/flags.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { dial } from "../driver/dial.ts";
import { frameLog, simulate, untilThere } from "../driver/session.ts";
import { EXIT, exitCode, Failure } from "../exit_codes.ts";
import { checkAnswers, checkConnection } from "../probe/check_driver.ts";
import { checkMotion } from "../probe/check_motion.ts";
import type { DialectDraft } from "../probe/draft.ts";
import { learn } from "../probe/learn_dialect.ts";
import { checkCreatable, createFile } from "../process/files.ts";
import { Report } from "../terminal/finding_report.ts";
import { prettyJson } from "../terminal/output.ts";
import { quote } from "../text/values.ts";

const WAIT = 15_000;
/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 300;

/** Finds out what is wrong, and how a driver differs. */
export const doctor: Command = {
  name: "doctor",
  summary: "Check the driver, or learn how it differs from what is assumed",
  details: `Without a driver it says what was tried and what to do next. With one it asks
what does no harm: the devices, what is known of the first, a command that does
not exist, and how long an answer takes.

It also looks whether there is a motion stream (ports 12277 and 12276), and which
devices it has.

With --learn it finds out how the driver differs from what is assumed about the
protocol (docs/protocol.md), by the same harmless commands, and by subscribing
to the button of the first device under one pair of names after the other, and
unsubscribing at once. In a terminal it then waits for a press, which shows what
an event looks like. What it learned is a dialect: use it with --dialect, or
with the option dialect of connect().`,
  flags: [
    booleanFlag("--learn", "learn how the driver differs"),
    textFlag("--write FILE", "with --learn: write the dialect", { needs: "learn" }),
    booleanFlag("--force", "with --write: replace a file that is there", { needs: "write" }),
    durationFlag("--for TIME", "with --learn: how long to wait for a press; 0 does not", {
      default: "15s in a terminal, 0 elsewhere",
      range: [0, LONGEST_TIMER],
      needs: "learn",
    }),
  ],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp doctor", "is there a driver, and does it answer?"],
    ["rcsp doctor --learn --write dialect.json", "learn, and keep what was learned"],
    ["rcsp list --dialect dialect.json", "use it"],
  ],
  async run(context) {
    const { line, out } = context;
    const simulated = line.on("simulate");
    const report = new Report(out);
    const path = line.text("write");
    if (path !== undefined) await checkCreatable(context.io, path, line.on("force"));
    const server = simulated
      ? await simulate(context, await context.server(), {
        pressEvery: PRESS_EVERY,
        motion: !line.on("learn"),
      })
      : await context.server();
    if (line.on("wait")) {
      await untilThere(context, async () => (await dial(server, context)).close());
    }
    if (!line.on("learn")) return await check(context, report, server);
    await checkConnection(context, report, server);
    const waits = context.io.stderr.isTerminal || simulated;
    const wait = line.number("for") ?? (waits ? WAIT : 0);
    const { draft, error } = await learn(context, report, server, wait);
    context.signal.throwIfAborted();
    await hand(context, draft, error === undefined ? path : undefined);
    if (error !== undefined) throw unlikeDriver(error, server);
    if (report.counts.fail > 0) {
      throw new Failure("Not all could be learned: see above", EXIT.protocol);
    }
  },
};

async function check(context: Context, report: Report, server: Driver): Promise<void> {
  try {
    await checkConnection(context, report, server);
    await checkDriver(context, report, server);
  } catch (error) {
    if (!isHostMissing(error as Error)) await checkMotion(context, report, server);
    throw error;
  }
  await checkMotion(context, report, server);
}

/** Whether no port of the host can be reached: one failure, reported once. */
function isHostMissing({ cause }: Error): boolean {
  return cause instanceof ConnectionError && cause.code.startsWith("host-");
}

async function checkDriver(context: Context, report: Report, server: Driver): Promise<void> {
  const rcsp = await connect({
    ...server,
    reconnect: false,
    onFrame: frameLog(context),
    signal: context.signal,
  });
  context.defer(() => rcsp.close());
  const error = await checkAnswers(context, report, rcsp, server);
  if (error === undefined) return;
  throw unlikeDriver(error, server);
}

function unlikeDriver(cause: Error, server: Driver): Failure {
  const message = `What listens at ${formatAddress(server)} does not answer as a driver should`;
  return new Failure(message, exitCode(cause), { cause });
}

async function hand(
  { io, line, out, log }: Context,
  draft: DialectDraft,
  path: string | undefined,
): Promise<void> {
  const dialect = draft.toJson();
  if (out.json) await out.jsonLine({ dialect });
  else await out.text(`The dialect, which is what differs:\n${prettyJson(dialect)}`);
  if (path === undefined) return;
  const file = await createFile(io, path, line.on("force"));
  try {
    await file.write(`${prettyJson(dialect)}\n`);
  } finally {
    await file.close();
  }
  await log(`Written to ${path}. Use it with --dialect ${quote(path)}`);
}
