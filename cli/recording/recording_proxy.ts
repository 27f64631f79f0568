/**
 * Stands between clients and the driver: passes everything on as it comes, and records it.
 *
 * @module
 */

import type { ConnectOptions, Socket } from "@rcsp/rcsp";
import type { Context, Driver } from "../command_line/command.ts";
import { dial } from "../driver/dial.ts";
import { untilThere } from "../driver/session.ts";
import { ClientSet } from "./client_set.ts";
import type { Direction } from "./format.ts";
import { Tap } from "./frame_tap.ts";
import type { Recorder } from "./recorder.ts";

/** Most clients at once; one more is closed as soon as it comes. */
const MOST_CLIENTS = 256;

/** What a proxy works with. */
export interface ProxyOptions {
  readonly context: Context;
  /** Leads to the driver. */
  readonly server: Driver;
  readonly recorder: Recorder;
  readonly talk: (text: string) => void;
  readonly onFrame: ConnectOptions["onFrame"];
}

/** Connects each client to the driver. */
export class RecordingProxy {
  readonly clients: ClientSet = new ClientSet(
    MOST_CLIENTS,
    (socket, number) => this.#join(socket, number),
  );
  readonly #options: ProxyOptions;
  #isClosed = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.clients.close();
  }

  async #join(client: Socket, number: number): Promise<void> {
    const { recorder } = this.#options;
    const talk = (text: string): void => {
      if (!this.#isClosed) this.#options.talk(`Client ${number}${text}`);
    };
    talk(` connected from ${client.remote}`);
    let driver: Socket | undefined;
    try {
      const there = driver = await this.#dial(client);
      client.closed.then(() => there.close());
      await Promise.all([
        this.#pass(client, there, "out", number),
        this.#pass(there, client, "in", number),
      ]);
    } catch (error) {
      talk(`: ${reasonOf(error)}`);
    } finally {
      client.close();
      driver?.close();
      recorder.left?.(number);
      talk(" disconnected");
    }
  }

  async #dial(client: Socket): Promise<Socket> {
    const { context, server } = this.#options;
    const left = new AbortController();
    client.closed.then(() => left.abort(new Error("It left before the driver was reached")));
    const options = { clock: context.clock, signal: left.signal };
    return await untilThere(context, () => dial(server, options));
  }

  /** Passes one direction on to its end; a half that ends, ends on the other side too. */
  async #pass(
    from: Socket,
    to: Socket,
    direction: Direction,
    connection: number,
  ): Promise<void> {
    const { recorder, onFrame } = this.#options;
    const onForeign = (error: unknown): void => {
      const who = direction === "out" ? "the client" : "the driver";
      this.#options.talk(`Client ${connection}: from ${who} comes no RCSP: ${reasonOf(error)}`);
    };
    const tap = new Tap({ recorder, direction, connection, onFrame, onForeign });
    try {
      for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
        const written = to.write(chunk);
        tap.push(chunk);
        await written;
        await recorder.room?.();
      }
      await to.closeWrite();
    } catch (error) {
      // What breaks one side is the end of both.
      from.close();
      to.close();
      throw error;
    } finally {
      tap.end();
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
