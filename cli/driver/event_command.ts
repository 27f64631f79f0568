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

/** Runs a program for each event, one after the other. */
export class EventCommand {
  readonly #context: Context;
  readonly #program: string;
  readonly #args: readonly string[];

  /**
   * Splits a command at spaces. There is no shell and no quoting, so nothing in an event is ever read as
   * a command.
   *
   * @throws {UsageError} If it is empty.
   */
  constructor(context: Context, command: string) {
    const [program = "", ...args] = command.trim().split(/\s+/);
    if (program === "") throw new UsageError("'--exec' needs a command, such as ./on-press.sh");
    this.#context = context;
    this.#program = program;
    this.#args = args;
  }

  /** Runs the program to its end. Rejects if it could not be started. */
  async run(event: RcspEvent, deviceName: string | undefined): Promise<void> {
    const { io, log } = this.#context;
    let code: number | string;
    try {
      code = await io.run(this.#program, this.#args, variables(event, deviceName));
    } catch (cause) {
      const { code, message } = cause as { code?: string; message: string };
      const reasons: Record<string, string> = {
        ENOENT: "no such program",
        EACCES: "not executable",
        E2BIG: "the event is too long for an environment variable",
      };
      const reason = (code && reasons[code]) ?? message;
      const sentence = `Cannot run ${quote(this.#program)}: ${reason}`;
      // The next event may be shorter.
      if (code === "E2BIG") return await log(sentence);
      throw new UsageError(sentence, { cause });
    }
    if (code !== 0) await log(`${quote(this.#program)} ended with ${code}`);
  }
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
