/** A client of a scripted server, whose connection and clock the test controls. */

import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { openClient } from "../../src/client/create_client.ts";
import type { ConnectOptions, TestHooks } from "../../src/client/options.ts";
import type { ClientStatus } from "../../src/client/rcsp_client.ts";
import { ConnectionError } from "../../src/errors.ts";
import type { Connector } from "../../src/socket/socket.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Script, type ScriptedServer, startScripted, turn } from "./scripted_server.ts";

export class Flaky {
  readonly clock = new FakeClock();
  readonly server: ScriptedServer;
  readonly connector: Connector;
  /** Number of connection attempts. */
  dials = 0;
  /** While `true`, connecting is refused. */
  down = false;

  constructor(server: ScriptedServer) {
    this.server = server;
    this.connector = (address, options) => {
      this.dials++;
      if (this.down) throw new ConnectionError("connection-refused", "Nobody is there");
      return server.connector(address, options);
    };
  }

  get surroundings(): TestHooks {
    // The smallest jitter: each delay is half of the doubled delay.
    return { clock: this.clock, random: () => 0 };
  }

  /** Ends the connection, and refuses new ones with `down`. */
  async lose(rcsp: RcspClient, options: { down?: boolean } = {}): Promise<void> {
    this.down = options.down ?? false;
    this.server.hangUp();
    await reach(rcsp, "reconnecting");
  }

  /** Advances time to the next attempt. */
  async retry(rcsp: RcspClient): Promise<void> {
    const { status } = rcsp;
    if (status.state !== "reconnecting") throw new Error(`the client is ${status.state}`);
    this.clock.advance(status.delay);
    await turn();
  }
}

/** Runs `use` with a client that reconnects, and always closes everything. */
export async function withFlaky(
  script: Script,
  use: (rcsp: RcspClient, flaky: Flaky) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const flaky = new Flaky(await startScripted(script));
  try {
    const rcsp = await openClient(flaky.connector, options, flaky.surroundings);
    try {
      await use(rcsp, flaky);
    } finally {
      await rcsp.close();
    }
  } finally {
    await flaky.server.close();
  }
}

/** Resolves with the status when the client reaches a state. */
export async function reach<S extends ClientStatus["state"]>(
  rcsp: RcspClient,
  state: S,
): Promise<ClientStatus & { state: S }> {
  for await (const status of rcsp.statuses()) {
    if (status.state === state) return status as ClientStatus & { state: S };
  }
  throw new Error(`the client closed before it was ${state}`);
}
