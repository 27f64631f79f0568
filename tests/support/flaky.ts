/** A client of a scripted server whose connection a test can take away, with time in the test's hand. */

import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { openClient } from "../../src/client/create_client.ts";
import type { ConnectOptions, TestHooks } from "../../src/client/options.ts";
import type { ClientStatus } from "../../src/client/rcsp_client.ts";
import { ConnectionError } from "../../src/errors.ts";
import type { Connector } from "../../src/socket/socket.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Script, type ScriptedServer, startScripted, turn } from "./scripted_server.ts";

/** See the file's own text. */
export class Flaky {
  readonly clock = new FakeClock();
  readonly server: ScriptedServer;
  readonly connector: Connector;
  /** How often the client has dialled. */
  dials = 0;
  /** While it is `true`, dialling is refused. */
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
    // The least jitter there is: each wait is half of what it doubles to.
    return { clock: this.clock, random: () => 0 };
  }

  /** The server ends the connection and, if told so, stays away. */
  async lose(rcsp: RcspClient, options: { down?: boolean } = {}): Promise<void> {
    this.down = options.down ?? false;
    this.server.hangUp();
    await reach(rcsp, "reconnecting");
  }

  /** Lets the wait before the next attempt pass. */
  async retry(rcsp: RcspClient): Promise<void> {
    const { status } = rcsp;
    if (status.state !== "reconnecting") throw new Error(`the client is ${status.state}`);
    this.clock.advance(status.delay);
    await turn();
  }
}

/** Runs `use` with a client that reconnects, and leaves nothing open, whatever happens. */
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

/** Resolves with the status when the client has come to a state. */
export async function reach<S extends ClientStatus["state"]>(
  rcsp: RcspClient,
  state: S,
): Promise<ClientStatus & { state: S }> {
  for await (const status of rcsp.statuses()) {
    if (status.state === state) return status as ClientStatus & { state: S };
  }
  throw new Error(`the client closed before it was ${state}`);
}
