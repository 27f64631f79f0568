/**
 * `rcsp mqtt`
 *
 * @module
 */

import type { Command, Context } from "../command_line/command.ts";
import { booleanFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { MOTION_PORT_FLAG } from "../driver/hand_stream.ts";
import { DRIVERS_FLAG } from "../driver/several_drivers.ts";
import { UsageError } from "../exit_codes.ts";
import { runBridge } from "../mqtt/bridge.ts";
import { parseBrokerUrl } from "../mqtt/broker_url.ts";
import { Topics } from "../mqtt/topics.ts";
import { quote } from "../text/values.ts";

/** Publishes devices and presses to an MQTT broker. */
export const mqtt: Command = {
  name: "mqtt",
  summary: "Publish devices, presses and hands to an MQTT broker",
  details: `Topics are PREFIX/SITE/DEVICE/button, info and availability, PREFIX/SITE/status, and
with --hands PREFIX/SITE/hand_left/hand.
With --allow, PREFIX/SITE/call/COMMAND takes that command, and with
--allow SetColorLed PREFIX/SITE/DEVICE/led/set takes a color.

URL is mqtt://HOST, mqtts://, ws:// or wss://, with the user in it:
mqtt://USER@HOST. The password is best given in RCSP_MQTT_PASSWORD.

Broker and drivers may come and go. With several --driver the others go on if
one fails. See docs/mqtt.md. Under Deno without -A, --site is required.`,
  positionals: [{ name: "url", about: "the broker, such as mqtt://localhost" }],
  flags: [
    textFlag("--site NAME", "names this process in topics; no other may have it", {
      default: "the name of this machine",
    }),
    textFlag("--prefix TEXT", "how all topics begin", { default: "rokoko" }),
    DRIVERS_FLAG,
    textFlag("--allow COMMAND", "a command that may come from the broker", {
      default: "none",
      multiple: true,
    }),
    booleanFlag("--hands", "also publish hands, where the hand solver runs"),
    integerFlag("--rate N", "with --hands: most messages of a hand per second", {
      default: "30",
      range: [1, 240],
      needs: "hands",
    }),
    booleanFlag("--joints", "with --hands: also all joints", { needs: "hands" }),
    { ...MOTION_PORT_FLAG, needs: "hands" },
    booleanFlag("--homeassistant", "announce the devices to Home Assistant"),
  ],
  connects: true,
  simulates: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp mqtt mqtt://localhost --simulate", "without hardware"],
    ["rcsp mqtt mqtts://studio@broker.example --site stage", "encrypted, as the user studio"],
    ["rcsp mqtt mqtt://localhost --allow SetColorLed --homeassistant", "for a home"],
    ["rcsp mqtt mqtt://localhost --driver left.local --driver right.local", "two drivers"],
  ],
  async run(context) {
    const { line, io } = context;
    const [url = ""] = line.positionals;
    await runBridge(context, {
      address: parseBrokerUrl(url, io.env("RCSP_MQTT_PASSWORD")),
      topics: new Topics(line.text("prefix") ?? "rokoko", siteOf(context)),
      allowed: new Set(line.texts("allow").map(checkCommand)),
      homeAssistant: line.on("homeassistant"),
      hands: line.on("hands")
        ? { rate: line.number("rate") ?? 30, joints: line.on("joints") }
        : undefined,
    });
  },
};

function siteOf({ line, io }: Context): string {
  const site = line.text("site") ?? io.hostname?.();
  if (site !== undefined && site !== "") return site;
  throw new UsageError("The name of this machine cannot be read: give '--site NAME'");
}

function checkCommand(name: string): string {
  if (/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name)) return name;
  throw new UsageError(`Invalid '--allow' ${quote(name)}: expected a command, such as SetColorLed`);
}
