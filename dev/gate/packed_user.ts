/**
 * A user's code, only compiled: against the types of the packed package. It names every member
 * that has a symbol for a name, as `deno pack` drops those of classes from the types that it makes.
 */

import { connect, type RcspClient } from "@rcsp/rcsp";
import { RcspServer } from "@rcsp/rcsp/server";
import { type Simulator, startSimulator } from "@rcsp/rcsp/simulator";

export const disposables: ((made: [RcspClient, RcspServer, Simulator]) => AsyncDisposable)[] = [
  ([client]) => client,
  ([, server]) => server,
  ([, , simulator]) => simulator,
];

export async function firstPress(): Promise<string | undefined> {
  await using server = new RcspServer();
  await using simulator = await startSimulator({ port: 0 });
  await using client = await connect({ port: simulator.address.port });
  const [device] = await client.listDevices();
  if (device === undefined) return String(server);
  await using presses = client.buttonPresses(device.DeviceId);
  for await (const press of presses) return press.type;
  return undefined;
}
