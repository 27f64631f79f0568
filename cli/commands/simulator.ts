/**
 * `rcsp simulator`
 *
 * @module
 */

import { CommandError, ConnectionError, type JsonObject, type RcspClient } from "@rcsp/rcsp";
import { formatAddress, PRESS_TYPES } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { oneOf } from "../command_line/suggest.ts";
import { deviceName, findDevice } from "../driver/device_argument.ts";
import { EXIT, Failure, UsageError } from "../exit_codes.ts";
import { parseFaults } from "../simulate/faults_flag.ts";
import { REMOTE, REMOTE_ERROR } from "../simulate/remote_control.ts";
import { plural, quote } from "../text/values.ts";
import { readArguments } from "./call.ts";

type Action = keyof typeof REMOTE;

const ACTIONS = Object.keys(REMOTE) as Action[];
const HELP = "Run 'rcsp help simulator'.";

/** Controls a running `rcsp serve`. */
export const simulator: Command = {
  name: "simulator",
  summary: "Control a running 'rcsp serve': presses, devices, faults",
  details: `press takes a device and, if wanted, ${PRESS_TYPES.join(", ")}. add takes
the fields of a device as 'rcsp call' takes arguments. remove takes a device.
fault takes what 'rcsp serve --faults' takes, or none; it begins with the bytes
of the next connections and ends the faults before it.

These are commands of the simulator's own: a driver does not know them.`,
  positionals: [
    { name: "action", about: ACTIONS.join(", "), choices: ACTIONS },
    { name: "argument", about: "what the action needs", multiple: true },
  ],
  connects: true,
  prints: true,
  examples: [
    ["rcsp simulator press 1", "a single press of the button of device 1"],
    ["rcsp simulator press 1 LongPress", "a long one"],
    ["rcsp simulator add DeviceId:=5 Name=Spare hasButton:=true", "one more device"],
    ["rcsp simulator remove 5", "it is gone"],
    ["rcsp simulator fault slice=1,pause=5ms", "byte by byte, slowly"],
    ["rcsp simulator fault none", "no faults"],
  ],
  async run(context) {
    const [action = "", ...words] = context.line.positionals;
    await RUN[oneOf(action, ACTIONS, "Unknown action", HELP)](context, words);
  },
};

const RUN: Readonly<Record<Action, (context: Context, words: string[]) => Promise<void>>> = {
  async press(context, [wanted = "", type = "SinglePress", ...surplus]) {
    oneOf(type, PRESS_TYPES, "Invalid press", `Expected ${PRESS_TYPES.join(", ")}`);
    refuse(surplus);
    const rcsp = await connect(context);
    const device = await findDevice(rcsp, wanted);
    const args = { DeviceId: device.DeviceId, PressType: type };
    const response = await send(context, rcsp, REMOTE.press, args);
    const clients = plural(Number(response["Clients"]), "client");
    await done(context, response, `${type} of ${deviceName(device)}: sent to ${clients}`);
  },
  async add(context, words) {
    const device = await readArguments(context, words);
    const rcsp = await connect(context);
    const response = await send(context, rcsp, REMOTE.add, device);
    await done(context, response, `Device ${JSON.stringify(device["DeviceId"])} is connected`);
  },
  async remove(context, [wanted = "", ...surplus]) {
    refuse(surplus);
    const rcsp = await connect(context);
    const device = await findDevice(rcsp, wanted);
    const response = await send(context, rcsp, REMOTE.remove, { DeviceId: device.DeviceId });
    await done(context, response, `Device ${deviceName(device)} is disconnected`);
  },
  async fault(context, [faults = "", ...surplus]) {
    refuse(surplus);
    parseFaults(faults);
    const rcsp = await connect(context);
    const response = await send(context, rcsp, REMOTE.fault, { Faults: faults });
    await done(context, response, `Faults: ${faults}`);
  },
};

function refuse([word]: readonly string[]): void {
  if (word !== undefined) throw new UsageError(`Unexpected argument ${quote(word)}. ${HELP}`);
}

/** Connects; the general advice names `--simulate`, which this command does not have. */
async function connect(context: Context): Promise<RcspClient> {
  try {
    return await context.connect();
  } catch (error) {
    if (!(error instanceof ConnectionError) || error.code !== "connection-refused") throw error;
    const advice = "Start a simulator with 'rcsp serve', or set --host and --port";
    throw new Failure(`${error.message}. ${advice}`, EXIT.connection, { cause: error });
  }
}

/** Sends a command of the simulator's own. */
async function send(
  context: Context,
  rcsp: RcspClient,
  command: string,
  args: JsonObject,
): Promise<JsonObject> {
  try {
    return await rcsp.call(command, args);
  } catch (error) {
    if (!(error instanceof CommandError) || error.errorCode === REMOTE_ERROR) throw error;
    const address = formatAddress(await context.server());
    const message = `No simulator at ${address}: what answers there does not know ${command}. ` +
      "Start one with 'rcsp serve'";
    throw new Failure(message, EXIT.refused, { cause: error });
  }
}

async function done({ out, log }: Context, response: JsonObject, text: string): Promise<void> {
  if (out.json) await out.value(response);
  else await log(text);
}
