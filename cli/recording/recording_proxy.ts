/**
 * Stands between clients and the driver: passes everything on as it comes, and records it.
 *
 * @module
 */

import type { ConnectOptions, Socket } from "@rcsp/rcsp";
import type { Context, Driver } from "../command_line/command.ts";
import { dial } from "../driver/dial.ts";
import { untilThere } from "../driver/session.ts";
import type { Direction } from "./format.ts";
import { Tap } from "./frame_tap.ts";
import type { Recorder } from "./recorder.ts";

/** Most clients at once; one more is closed as soon as it comes. */
const MOST_CLIENTS = 256;

export class RecordingProxy {
  /** Clients so far. */
  clients = 0;
  readonly #context: Context;
  readonly #server: Driver;
  readonly #recorder: Recorder;
  readonly #talk: (text: string) => void;
  readonly #onFrame: ConnectOptions["onFrame"];
  readonly #leaving = new AbortController();
  readonly #tasks = new Set<Promise<void>>();

  /** Creates a proxy for the driver that `server` leads to. */
  constructor(
    context: Context,
    server: Driver,
    recorder: Recorder,
    talk: (text: string) => void,
    onFrame: ConnectOptions["onFrame"],
  ) {
    this.#onFrame = onFrame;
    this.#context = context;
    this.#server = server;
    this.#recorder = recorder;
    this.#talk = talk;
  }

  /** Connects a client to the driver. */
  accept(socket: Socket): void {
    if (this.#tasks.size >= MOST_CLIENTS) socket.close();
    else this.#begin(socket);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#leaving.abort(new Error("The proxy is closed"));
    await Promise.all(this.#tasks);
  }

  #begin(client: Socket): void {
    const number = ++this.clients;
    const task = this.#join(client, number).finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #join(client: Socket, number: number): Promise<void> {
    this.#talk(`Client ${number} connected from ${client.remote}`);
    const { signal } = this.#leaving;
    let driver: Socket | undefined;
    const leave = (): void => {
      client.close();
      driver?.close();
    };
    signal.addEventListener("abort", leave);
    try {
      driver = await this.#dial(client);
      await Promise.all([
        this.#pass(client, driver, "out", number),
        this.#pass(driver, client, "in", number),
      ]);
    } catch (error) {
      if (!signal.aborted) this.#talk(`Client ${number}: ${reasonOf(error)}`);
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
      this.#recorder.left?.(number);
      if (!signal.aborted) this.#talk(`Client ${number} disconnected`);
    }
  }

  async #dial(client: Socket): Promise<Socket> {
    const left = new AbortController();
    client.closed.then(() => left.abort(new Error("It left before the driver was reached")));
    const options = { clock: this.#context.clock, signal: left.signal };
    return await untilThere(this.#context, () => dial(this.#server, options));
  }

  /** Passes one direction on to its end; a half that ends, ends on the other side too. */
  async #pass(from: Socket, to: Socket, direction: Direction, number: number): Promise<void> {
    const tap = new Tap(this.#recorder, direction, number, {
      onFrame: this.#onFrame,
      onForeign: (error) => {
        const who = direction === "out" ? "the client" : "the driver";
        this.#talk(`Client ${number}: from ${who} comes no RCSP: ${reasonOf(error)}`);
      },
    });
    try {
      for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
        const written = to.write(chunk);
        tap.push(chunk);
        await written;
        await this.#recorder.room();
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
