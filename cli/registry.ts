/**
 * All subcommands, in the order in which the help shows them.
 *
 * @module
 */

import type { Command } from "./command_line/command.ts";
import { call } from "./commands/call.ts";
import { completions } from "./commands/completions.ts";
import { doctor } from "./commands/doctor.ts";
import { exportRecording } from "./commands/export.ts";
import { hands } from "./commands/hands.ts";
import { help } from "./commands/help.ts";
import { info } from "./commands/info.ts";
import { led } from "./commands/led.ts";
import { list } from "./commands/list.ts";
import { mqtt } from "./commands/mqtt.ts";
import { osc } from "./commands/osc.ts";
import { ping } from "./commands/ping.ts";
import { record } from "./commands/record.ts";
import { recover } from "./commands/recover.ts";
import { replay } from "./commands/replay.ts";
import { serve } from "./commands/serve.ts";
import { share } from "./commands/share.ts";
import { simulator } from "./commands/simulator.ts";
import { streams } from "./commands/streams.ts";
import { ui } from "./commands/ui.ts";
import { version } from "./commands/version.ts";
import { watch } from "./commands/watch.ts";

/** All subcommands. */
export const COMMANDS: readonly Command[] = [
  list,
  info,
  led,
  call,
  watch,
  hands,
  streams,
  ui,
  ping,
  serve,
  share,
  simulator,
  record,
  replay,
  recover,
  exportRecording,
  mqtt,
  osc,
  doctor,
  completions,
  help,
  version,
];
