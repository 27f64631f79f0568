/**
 * `rcsp list`
 *
 * @module
 */

import type { Device } from "@rcsp/rcsp";
import type { Command } from "../command_line/command.ts";
import { words } from "../terminal/output.ts";

/** Lists the devices. */
export const list: Command = {
  name: "list",
  summary: "List the devices that are connected to the driver",
  details: "A table in a terminal; in a pipe one JSON object a line, as the driver sent it.",
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp list", "what is connected"],
    ["rcsp list --json | jq .DeviceId", "the ids alone"],
    ["rcsp list --simulate", "without hardware"],
  ],
  async run(context) {
    const { out, log } = context;
    const rcsp = await context.connect();
    const devices = await rcsp.listDevices();
    if (out.json) {
      for (const device of devices) await out.value(device as Device & Record<string, never>);
      return;
    }
    if (devices.length === 0) return await log("No devices are connected");
    const keys = new Set(["DeviceId", ...devices.flatMap((device) => Object.keys(device))]);
    const columns = Array.from(keys, (name) => ({ name }));
    const rows = devices.map((device) =>
      columns.map(({ name }) => words(Object.hasOwn(device, name) ? device[name] : undefined))
    );
    const hidden = await out.table(columns, rows);
    if (hidden > 0) await log(`${hidden} columns do not fit: --json shows all`);
  },
};
