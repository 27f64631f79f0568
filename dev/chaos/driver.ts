/** The simulated driver of the chaos run: goes away and comes back, and publishes numbered presses. */

import { CommandError } from "../../src/errors.ts";
import { PRESS_TYPES } from "../../src/message/event.ts";
import { randomInteger, randomItem } from "../../src/simulator/random.ts";
import { listen } from "../../adapters/runtime.ts";
import { Simulator } from "../../src/simulator/simulator.ts";
import type { Address } from "../../src/socket/socket.ts";

const PRESS_EVERY = 5;

export class Driver {
  readonly address: Address;
  /** Presses published so far, with or without subscribers; also the number of the next one. */
  published = 0;
  restarts = 0;
  readonly #random: () => number;
  #simulator: Simulator | undefined;
  #presses: ReturnType<typeof setInterval>;

  constructor(address: Address, simulator: Simulator, random: () => number) {
    this.address = address;
    this.#simulator = simulator;
    this.#random = random;
    this.#presses = setInterval(() => this.#press(), PRESS_EVERY);
  }

  static async start(random: () => number): Promise<Driver> {
    const simulator = await startSimulator({ host: "127.0.0.1", port: 0 }, random);
    return new Driver(simulator.address, simulator, random);
  }

  /** Restarts the driver and cuts connections until the deadline. */
  async upheave(deadline: number, cutAll: () => void): Promise<void> {
    while (performance.now() < deadline) {
      await pause(randomInteger(this.#random, 1000, 4000));
      if (this.#random() < 0.5) {
        cutAll();
        continue;
      }
      const simulator = this.#simulator!;
      this.#simulator = undefined;
      await simulator.close();
      await pause(randomInteger(this.#random, 50, 800));
      this.#simulator = await startSimulator(this.address, this.#random);
      this.restarts++;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#presses);
    await this.#simulator?.close();
  }

  #press(): void {
    const Seq = this.published++;
    const pressType = randomItem(this.#random, PRESS_TYPES);
    const server = this.#simulator?.server;
    server?.publish({ ...server.dialect.button, deviceId: 1, pressType, data: { Seq } });
  }
}

async function startSimulator(address: Address, random: () => number): Promise<Simulator> {
  const simulator = new Simulator({ closeTimeout: 200 });
  simulator.server.handle("Echo", async ({ Arguments }) => {
    const time = randomInteger(random, 0, 40);
    // Sometimes delay a response, and all behind it, beyond the clients' timeout.
    if (random() < 0.002) await pause(700);
    else if (time > 2) await pause(time);
    if (Arguments["fail"] === true) {
      throw new CommandError({ Code: "Intended", Message: `${Arguments["token"]}` });
    }
    return Arguments;
  });
  await simulator.serve(listen, address);
  return simulator;
}

/** Resolves after this many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
