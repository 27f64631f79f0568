/**
 * A command that is run for each event.
 *
 * @module
 */

import { escapeUnprintable, type RcspEvent } from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { UsageError } from "../exit_codes.ts";
import { safeJson, words } from "../terminal/output.ts";
import { quote } from "../text/values.ts";

/** By the codes of the system, whose own texts say less. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such program",
  EACCES: "not executable",
  E2BIG: "the event is too long for an environment variable",
};

/** Runs a command for an event, to its end. Rejects if it could not be started. */
export type EventCommand = (event: RcspEvent, deviceName: string | undefined) => Promise<void>;

/**
 * Splits a command at spaces. There is no shell and no quoting, so nothing in an event is ever read as a
 * command.
 *
 * @throws {UsageError} If it is empty.
 */
export function eventCommand({ io, log }: Context, command: string): EventCommand {
  const [program = "", ...args] = command.trim().split(/\s+/);
  if (program === "") throw new UsageError("'--exec' needs a command, such as ./on-press.sh");
  return async (event, deviceName) => {
    try {
      const code = await io.run(program, args, variables(event, deviceName));
      if (code !== 0) await log(`${quote(program)} ended with ${code}`);
    } catch (cause) {
      const { code = "", message } = cause as { code?: string; message: string };
      const sentence = `Cannot run ${quote(program)}: ${REASONS[code] ?? message}`;
      // The next event may be shorter.
      if (code === "E2BIG") return await log(sentence);
      throw new UsageError(sentence, { cause });
    }
  };
}

/** What is known of an event; escaped, as the system takes no NUL and scripts print what they get. */
function variables(event: RcspEvent, deviceName: string | undefined): Record<string, string> {
  const { deviceId, publisher, topic, raw } = event;
  return {
    RCSP_EVENT: safeJson(raw),
    RCSP_PRESS: findPressType(raw) ?? "",
    RCSP_DEVICE_ID: escapeUnprintable(words(deviceId)),
    RCSP_DEVICE_NAME: escapeUnprintable(deviceName ?? ""),
    RCSP_PUBLISHER: escapeUnprintable(publisher ?? ""),
    RCSP_TOPIC: escapeUnprintable(topic ?? ""),
  };
}
