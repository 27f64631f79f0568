/** A scripted driver, a server that forwards to it, and clients of raw frames. */

import { startClient } from "../../src/client/create_client.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { Fifo } from "../../src/fifo.ts";
import { socketPair } from "../../src/socket/memory.ts";
import type { Socket } from "../../src/socket/socket.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { forward, type ForwardOptions, RcspServer, type ServerOptions } from "../../server.ts";
import { command } from "./raw_client.ts";
import { type Script, type ScriptedServer, startScripted } from "./scripted_server.ts";
import { until } from "./wait.ts";

/** A received frame: its type, its text, and what that says. */
export interface Frame {
  readonly type: number;
  readonly text: string;
  // deno-lint-ignore no-explicit-any -- tests read whatever they expect
  readonly body: any;
}

/** A client that shows what it receives to the character. */
export class Peer {
  readonly socket: Socket;
  readonly #frames = new Fifo<Frame>();
  readonly #decoder = new FrameDecoder();

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Sends a command; the `TrackId` is what the test says. */
  async send(trackId: string, name: string, args?: unknown): Promise<void> {
    await this.socket.write(command(trackId, name, args));
  }

  /** Sends a command and returns the next frame. */
  async ask(trackId: string, name: string, args?: unknown): Promise<Frame> {
    await this.send(trackId, name, args);
    return await this.next();
  }

  /** The next frame. Rejects if the connection ends before. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      const chunk = await this.socket.read();
      if (chunk === null) throw new Error("The connection ended, a frame was expected");
      this.#decoder.push(chunk, (type, payload) => {
        const text = new TextDecoder().decode(payload);
        this.#frames.push({ type, text, body: JSON.parse(text) });
      });
    }
  }
}

export interface Forwarded {
  readonly driver: ScriptedServer;
  readonly rcsp: RcspClient;
  readonly server: RcspServer;
  /** The errors passed to `onError` of the server. */
  readonly errors: unknown[];
  /** Another client. */
  join(): Peer;
}

export interface ForwardedOptions {
  client?: ConnectOptions;
  server?: ServerOptions;
  forward?: ForwardOptions;
}

/** Runs `use` with a driver and a server that forwards to it, and closes everything. */
export async function withForwarding(
  script: Script,
  use: (forwarded: Forwarded) => Promise<void>,
  options: ForwardedOptions = {},
): Promise<void> {
  const driver = await startScripted(script);
  const rcsp = startClient(driver.connector, {
    reconnect: { initialDelay: 0 },
    ...options.client,
  });
  const errors: unknown[] = [];
  const server = new RcspServer({ onError: (error) => errors.push(error), ...options.server });
  forward(server, rcsp, options.forward);
  const peers: Peer[] = [];
  const join = (): Peer => {
    const [near, far] = socketPair();
    server.accept(far);
    const peer = new Peer(near);
    peers.push(peer);
    return peer;
  };
  try {
    await until(() => rcsp.status.state === "ready");
    await use({ driver, rcsp, server, errors, join });
  } finally {
    for (const { socket } of peers) socket.close();
    await server.close();
    await rcsp.close();
    await driver.close();
  }
}
