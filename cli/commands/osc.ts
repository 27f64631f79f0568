/**
 * `rcsp osc`
 *
 * @module
 */

import { parseTarget } from "@rcsp/rcsp/server";
import type { Command } from "../command_line/command.ts";
import { booleanFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { MOTION_PORT_FLAG } from "../driver/hand_stream.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** Sends presses and hands as OSC. */
export const osc: Command = {
  name: "osc",
  summary: "Send button presses and hands to a tool that reads OSC",
  details: `Sends /rokoko/left/button (text), and where the hand solver runs
/rokoko/left/curl (five numbers from 0, open, to 1, the thumb first),
/rokoko/left/pinch (meters) and /rokoko/left/wrist (quaternion x y z w);
the same for right. A device whose side is not known is /rokoko/device/ID.

--vmc sends finger bones as virtual-character tools read them, in place of
those of hands. See docs/osc.md.`,
  positionals: [{ name: "host:port", about: "where the tool listens, such as localhost:7000" }],
  flags: [
    integerFlag("--rate N", "most frames of a hand per second", { default: "60", range: [1, 240] }),
    booleanFlag("--floats", "an address for each finger: /rokoko/left/curl/thumb"),
    booleanFlag("--joints", "also all joints: /rokoko/left/joint/index_tip"),
    booleanFlag("--vmc", "hands as /VMC/Ext/Bone/Pos", { excludes: ["floats", "joints"] }),
    MOTION_PORT_FLAG,
    textFlag("--listen [HOST:]PORT", "take LED colors there: /rokoko/left/led red", {
      default: "not; HOST is 127.0.0.1",
      needs: "allow",
    }),
    textFlag("--allow COMMAND", "a command that may come in", {
      choices: ["SetColorLed"],
      needs: "listen",
    }),
  ],
  connects: true,
  simulates: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp osc localhost:7000 --simulate", "without hardware"],
    ["rcsp osc 192.168.1.20:9000 --floats --rate 30", "to another machine"],
    ["rcsp osc localhost:7000 --listen 7001 --allow SetColorLed", "colors may come back"],
    ["rcsp osc localhost:39539 --vmc", "to a virtual-character tool"],
  ],
  async run(context) {
    const { line } = context;
    const listen = line.text("listen");
    // Its package is of no use to other commands.
    const { runOsc } = await import("../osc/bridge.ts");
    await runOsc(context, {
      target: readAddress(line.positionals[0] ?? "", "address"),
      rate: line.number("rate") ?? 60,
      floats: line.on("floats"),
      joints: line.on("joints"),
      vmc: line.on("vmc"),
      listen: listen === undefined
        ? undefined
        : readAddress(/^\d+$/.test(listen) ? `127.0.0.1:${listen}` : listen, "'--listen'", 0),
    });
  },
};

function readAddress(text: string, what: string, least = 1): { host: string; port: number } {
  try {
    const { host, port } = parseTarget(text);
    if (port !== undefined && port >= least && port <= 65_535) return { host, port };
  } catch {
    // It is said below.
  }
  throw new UsageError(
    `Invalid ${what} ${quote(text)}: expected HOST:PORT, such as localhost:7000`,
  );
}
