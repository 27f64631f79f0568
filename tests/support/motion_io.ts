/** A simulated motion stream for tests of the command, and servers that are not a motion stream. */

import { memoryNetwork } from "../../src/socket/memory.ts";
import type { Connector, Socket } from "../../src/socket/socket.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";

/** A simulator whose motion stream listens where the driver's does, in a network of its own. */
export interface MotionDriver {
  readonly simulator: Simulator;
  /** Goes to `testIo()` and `rcsp()`. */
  readonly connector: Connector;
  /** Stops it, and starts one like it. */
  restart(): Promise<void>;
}

/** Runs `use` with two moving hands on ports 12277 and 12276, and leaves nothing open. */
export async function withMotion(
  use: (driver: MotionDriver) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const start = async (): Promise<Simulator> => {
    const simulator = new Simulator({ motion: true, ...options });
    await simulator.serve(listen, { port: 45451 });
    await simulator.serveMotion(listen, { port: 12277, rawPort: 12276 });
    return simulator;
  };
  const driver = {
    simulator: await start(),
    connector,
    async restart(): Promise<void> {
      await driver.simulator.close();
      driver.simulator = await start();
    },
  };
  try {
    await use(driver);
  } finally {
    await driver.simulator.close();
  }
}

/** Runs `use` with a server on port 12277 that does with each client what `serve` says. */
export async function withServer(
  serve: (socket: Socket) => Promise<void>,
  use: (connector: Connector) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const listener = await listen({ port: 12277 }, async (socket) => {
    await serve(socket);
    while (await socket.read().catch(() => null) !== null);
    socket.close();
  }, () => {});
  try {
    await use(connector);
  } finally {
    await listener.close();
  }
}
