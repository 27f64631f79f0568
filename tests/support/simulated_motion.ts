/** A simulator of motion and two clients of it, in memory, with a clock of the test. */

import { assertEquals } from "@std/assert";
import {
  type MotionClient,
  type MotionOptions,
  openMotionClient,
} from "../../src/motion/motion_client.ts";
import type { MotionServer } from "../../src/motion/motion_server.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";
import { memoryNetwork } from "../../src/socket/memory.ts";
import { FakeClock } from "./fake_clock.ts";
import { until } from "./wait.ts";

export interface MotionRoom {
  simulator: Simulator;
  hands: MotionClient;
  raw: MotionClient;
  clock: FakeClock;
  /** Lets this many frames of 12 ms pass, in steps of some milliseconds, each received at its end. */
  play(frames: number, step?: number): Promise<void>;
}

/** Waits until a client has received every data frame that was sent. */
async function received(client: MotionClient, server: MotionServer): Promise<void> {
  const isReceived = (): boolean => {
    const { samples, undefinedData, wrongSize, backwards } = client.stats();
    return samples + undefinedData + wrongSize + backwards === server.stats().frames;
  };
  // In memory, a message mostly needs some microtasks only.
  for (let turn = 0; turn < 50 && !isReceived(); turn++) await Promise.resolve();
  if (!isReceived()) await until(isReceived);
}

/** Runs `use` with a simulator, and always closes everything. */
export async function withMotion(
  options: SimulatorOptions,
  use: (room: MotionRoom) => Promise<void>,
  clientOptions: MotionOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const clock = new FakeClock();
  const simulator = new Simulator({ motion: true, ...options, clock } as SimulatorOptions);
  const { hands, raw } = await simulator.serveMotion(listen);
  const open = (address: { host: string; port: number }): Promise<MotionClient> =>
    openMotionClient(connector, { ...address, ...clientOptions }, { clock, random: () => 0 });
  const clients = await Promise.all([open(hands), open(raw)]);
  try {
    await use({
      simulator,
      clock,
      hands: clients[0]!,
      raw: clients[1]!,
      play: async (frames, step = 12) => {
        for (let time = 0; time < frames * 12; time += step) {
          clock.advance(step);
          await received(clients[0]!, simulator.motion!.hands);
          await received(clients[1]!, simulator.motion!.raw);
        }
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await simulator.close();
    assertEquals(clock.timers, 0);
  }
}
