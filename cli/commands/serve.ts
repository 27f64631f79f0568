/**
 * `rcsp serve`
 *
 * @module
 */

import type { DeviceId, PressType, Socket } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress, PRESS_TYPES } from "@rcsp/rcsp/server";
import { type SimulatedDevice, Simulator, type SimulatorOptions } from "@rcsp/rcsp/simulator";
import type { Command, Context } from "../command_line/command.ts";
import {
  booleanFlag,
  DIALECT_FLAG,
  durationFlag,
  integerFlag,
  textFlag,
} from "../command_line/flags.ts";
import { deviceName } from "../driver/device_argument.ts";
import { readDialect } from "../driver/session.ts";
import { UsageError } from "../exit_codes.ts";
import { fileName, readJson } from "../process/files.ts";
import {
  boundedLog,
  listenAddress,
  listenFlags,
  listenWith,
  untilLeave,
} from "../simulate/accept_clients.ts";
import { Activity } from "../simulate/activity.ts";
import { parseFaults, parseLatency } from "../simulate/faults_flag.ts";
import { motionOption, SERVE_MOTION_FLAGS, serveMotion } from "../simulate/serve_motion.ts";
import { allowRemoteControl } from "../simulate/remote_control.ts";
import { plural, sameId } from "../text/values.ts";

/** Milliseconds that clients have to leave by themselves. */
const CLOSE_TIMEOUT = 500;
const DEVICE_FILE_BYTES = 16 * 1024 * 1024;

/** Runs the simulator. */
export const serve: Command = {
  name: "serve",
  summary: "Run a simulated driver with gloves and buttons",
  details: `The first line of output says where it listens; stderr shows what happens:
commands with their arguments, and presses with the clients that received them. In a terminal
the keys 1, 2 and 3 press the button of the first glove once, twice and long; ?
lists the keys; q ends. Under Deno that needs -A.

--devices reads a JSON array of objects with DeviceId and, optionally, Name,
Type, hasButton, info (more of what GetDeviceInfo returns) and leds (names).
docs/simulator.md says what the simulator makes up.

Faults count the bytes sent to a client: cut=1000 closes its connection after so
many, garbage=1000 sends random bytes from there on, silent=1000 nothing;
slice=1 sends that many bytes at a time, pause=5ms waits before each piece.

--motion adds two moving hands, for 'rcsp hands' and clients of the motion stream.
--motion-faults takes the faults above, and gaps=0.1 (share of frames left out),
jitter=20ms, duplicate=0.1 and backward=0.1 (shares of wrong time stamps), stall
(no data) and no-openxr (hands without joints_openxr).`,
  flags: [
    ...listenFlags(DEFAULT_ADDRESS.port),
    durationFlag("--press TIME", "simulate a random button press at this interval: 2s"),
    textFlag("--devices FILE", "which devices there are, as JSON"),
    integerFlag("--seed N", "the same seed gives the same serial numbers, presses and garbage", {
      default: "1",
      range: [0, 2 ** 32 - 1],
    }),
    textFlag("--latency TIME", "how long each command takes: 20ms, or random in 20ms-80ms"),
    textFlag("--faults LIST", "what goes wrong: cut=1000,slice=1,pause=5ms"),
    booleanFlag("-q, --quiet", "do not show commands and presses"),
    ...SERVE_MOTION_FLAGS,
    DIALECT_FLAG,
  ],
  endsWithCtrlC: true,
  examples: [
    ["rcsp serve", "at the driver's port; 'rcsp list' in another terminal sees it"],
    ["rcsp serve --port 0 --press 2s", "any free port; a press every two seconds"],
    ["rcsp serve --motion", "moving hands too, for 'rcsp hands' in another terminal"],
    ["rcsp serve --faults slice=1,pause=1ms", "sends byte by byte"],
  ],
  async run(context) {
    const { out, signal } = context;
    const log = boundedLog(context);
    const activity = context.line.on("quiet") ? undefined : new Activity(context, log);
    context.defer(() => activity?.close());
    const simulator = await createSimulator(context, log, activity);
    context.defer(() => simulator.close());
    allowRemoteControl(simulator);
    const wanted = listenAddress(context, DEFAULT_ADDRESS.port);
    const listen = listenWith(context, log);
    let clients = 0;
    const address = await simulator.serve((options, onSocket, onError) => {
      const accept = (socket: Socket): void => {
        clients++;
        activity?.watch(socket);
        onSocket(socket);
      };
      return listen(options, accept, onError);
    }, wanted);
    await out.line(`RCSP simulator listening on ${formatAddress(address)}`);
    await serveMotion(context, simulator, wanted, log);
    for (const device of simulator.devices) log(`Device ${nameOf(device)}`);
    await (context.io.keys === undefined ? untilLeave(signal) : heedKeys(context, simulator, log));
    await simulator.close();
    activity?.close();
    await context.log(`${plural(clients, "client")} served`);
  },
};

async function createSimulator(
  context: Context,
  log: (text: string) => void,
  activity: Activity | undefined,
): Promise<Simulator> {
  const { line, io } = context;
  const path = line.text("devices");
  const [latency, faults] = [line.text("latency"), line.text("faults")];
  const options: SimulatorOptions = {
    devices: path === undefined
      ? undefined
      : await readJson(io, path, DEVICE_FILE_BYTES) as SimulatedDevice[],
    seed: line.number("seed"),
    latency: latency === undefined ? undefined : parseLatency(latency),
    faults: faults === undefined ? undefined : parseFaults(faults),
    pressEvery: line.number("press"),
    motion: motionOption(context),
    dialect: await readDialect(line.text("dialect"), io),
    closeTimeout: CLOSE_TIMEOUT,
    onError: (error, client) => {
      const reason = error instanceof Error ? error.message : String(error);
      log(client === undefined ? reason : `${client.remote}: ${reason}`);
    },
  };
  try {
    return activity === undefined ? new Simulator(options) : new Shown(options, activity);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new UsageError(path === undefined ? reason : `Cannot use ${fileName(path)}: ${reason}`, {
      cause,
    });
  }
}

/** A simulator that shows its presses, also those by interval. */
class Shown extends Simulator {
  readonly #activity: Activity;

  constructor(options: SimulatorOptions, activity: Activity) {
    super(options);
    this.#activity = activity;
  }

  override press(deviceId: DeviceId, type: PressType): number {
    const device = this.devices.find(({ DeviceId }) => sameId(DeviceId, deviceId));
    const name = device === undefined ? "" : nameOf(device);
    return this.#activity.press(name, type, () => super.press(deviceId, type));
  }
}

function nameOf({ DeviceId, Name }: SimulatedDevice): string {
  return deviceName({ DeviceId, Name: Name ?? "" });
}

async function heedKeys(
  { line, io, signal }: Context,
  simulator: Simulator,
  log: (text: string) => void,
): Promise<void> {
  // Devices come and go.
  const first = (): SimulatedDevice | undefined => {
    const { devices } = simulator;
    return devices.find(({ hasButton }) => hasButton) ?? devices[0];
  };
  const showKeys = (): void => {
    const glove = first();
    const presses = glove && `1, 2, 3 press the button of ${nameOf(glove)} once, twice, long; `;
    log(`Keys: ${presses ?? ""}? shows this; q ends`);
  };
  showKeys();
  for await (const key of io.keys!(signal)) {
    if (key === "q") return;
    if (key === "?") showKeys();
    const type = PRESS_TYPES["123".indexOf(key)];
    const glove = first();
    if (type === undefined || glove === undefined) continue;
    const clients = simulator.press(glove.DeviceId, type);
    if (line.on("quiet")) {
      log(`${type} of ${nameOf(glove)}: sent to ${plural(clients, "client")}`);
    }
  }
}
