/**
 * `rcsp serve`
 *
 * @module
 */

import { formatAddress } from "../../src/socket/address.ts";
import { DEFAULT_ADDRESS } from "../../src/client/options.ts";
import { PRESS_TYPES } from "../../src/message/event.ts";
import type { SimulatedDevice } from "../../src/simulator/devices.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";
import type { Command, Context } from "../command.ts";
import { deviceName } from "../devices.ts";
import { UsageError } from "../exit.ts";
import { DIALECT_FLAG } from "../flags.ts";
import { LONGEST_TIMER } from "../options.ts";
import { parseFaults, parseLatency } from "../serve/faults_flag.ts";
import { readDevices } from "../serve/device_file.ts";
import { boundedLog, listenAddress, listenFlags, listenWith, untilLeave } from "../serving.ts";
import { readDialect } from "../session.ts";

/** Milliseconds that clients have to leave by themselves. */
const CLOSE_TIMEOUT = 500;

/** Runs the simulator. */
export const serve: Command = {
  name: "serve",
  summary: "Stand in for the driver: a simulator with gloves and buttons",
  details: `The first line of output says where it listens; what happens is told on standard
error. In a terminal the keys 1, 2 and 3 press the button of the first glove
once, twice and long; q ends. Under Deno that needs -A.

--devices takes a JSON array of objects with DeviceId and, if wanted, Name,
Type, hasButton, info (what GetDeviceInfo says besides) and leds (names). What
the simulator makes up is said in docs/simulator.md.

Faults are counted in bytes that a client was sent: cut=1000 ends its connection
there, garbage=1000 sends chance bytes from there on, silent=1000 nothing any
more; slice=1 sends that many bytes at a time, pause=5ms waits before each
piece.`,
  flags: [
    ...listenFlags(DEFAULT_ADDRESS.port),
    {
      name: "press",
      kind: "duration",
      value: "TIME",
      about: "press a chance button in a chance way every so often: 2s",
      range: [1, LONGEST_TIMER],
    },
    { name: "devices", kind: "text", value: "FILE", about: "which devices there are, as JSON" },
    {
      name: "seed",
      kind: "integer",
      value: "N",
      about: "the same seed gives the same serial numbers, presses and garbage",
      default: "1",
      range: [0, 2 ** 32 - 1],
    },
    {
      name: "latency",
      kind: "text",
      value: "TIME",
      about: "how long each command takes: 20ms, or chance in 20ms-80ms",
    },
    {
      name: "faults",
      kind: "text",
      value: "LIST",
      about: "what goes wrong: cut=1000,slice=1,pause=5ms",
    },
    DIALECT_FLAG,
  ],
  examples: [
    ["rcsp serve", "at the driver's port; 'rcsp list' in another terminal sees it"],
    ["rcsp serve --port 0 --press 2s", "any free port; a press every two seconds"],
    ["rcsp serve --faults slice=1,pause=1ms", "byte by byte: does your client cope?"],
  ],
  async run(context) {
    const { out, signal } = context;
    const talk = boundedLog(context);
    const simulator = new Simulator(await simulatorOptions(context, talk));
    context.defer(() => simulator.close());
    const wanted = listenAddress(context, DEFAULT_ADDRESS.port);
    const address = await simulator.serve(listenWith(context, talk), wanted);
    await out.line(`RCSP simulator listening on ${formatAddress(address)}`);
    for (const device of simulator.devices) talk(`Device ${nameOf(device)}`);
    await (context.io.keys === undefined ? untilLeave(signal) : heedKeys(context, simulator, talk));
  },
};

async function simulatorOptions(
  { line, io }: Context,
  talk: (text: string) => void,
): Promise<SimulatorOptions> {
  const path = line.text("devices");
  const [latency, faults] = [line.text("latency"), line.text("faults")];
  const options: SimulatorOptions = {
    devices: path === undefined ? undefined : await readDevices(io, path),
    seed: line.number("seed"),
    latency: latency === undefined ? undefined : parseLatency(latency),
    faults: faults === undefined ? undefined : parseFaults(faults),
    pressEvery: line.number("press"),
    dialect: await readDialect(line.text("dialect"), io),
    closeTimeout: CLOSE_TIMEOUT,
    onError: (error, client) => {
      const reason = error instanceof Error ? error.message : String(error);
      talk(client === undefined ? reason : `${client.remote}: ${reason}`);
    },
  };
  const taken = repeatedId(options.devices ?? []);
  if (taken === undefined) return options;
  throw new UsageError(`Two devices of '${path}' have the DeviceId ${taken}`);
}

function nameOf({ DeviceId, Name }: SimulatedDevice): string {
  return deviceName({ DeviceId, Name: Name ?? "" });
}

function repeatedId(devices: readonly { readonly DeviceId: unknown }[]): string | undefined {
  const ids = devices.map(({ DeviceId }) => JSON.stringify(DeviceId));
  return ids.find((id, i) => ids.indexOf(id) !== i);
}

async function heedKeys(
  { io, signal }: Context,
  simulator: Simulator,
  talk: (text: string) => void,
): Promise<void> {
  const devices = simulator.devices;
  const glove = devices.find(({ hasButton }) => hasButton) ?? devices[0];
  const name = glove && nameOf(glove);
  talk(
    name === undefined
      ? "Key q ends"
      : `Keys 1, 2, 3 press the button of ${name} once, twice, long; q ends`,
  );
  for await (const key of io.keys!(signal)) {
    if (key === "q") return;
    const type = PRESS_TYPES["123".indexOf(key)];
    if (type === undefined || glove === undefined) continue;
    const told = simulator.press(glove.DeviceId, type);
    talk(`${type} of ${name}: told ${told} client${told === 1 ? "" : "s"}`);
  }
}
