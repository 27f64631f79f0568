/**
 * The hands for the pages: one connection to the motion stream, passed on to all.
 *
 * @module
 */

import { type Connector, connector as runtimeConnector } from "@rcsp/rcsp";
import {
  connectMotion,
  type MotionClient,
  type MotionDevice,
  MotionPrefix,
} from "@rcsp/rcsp/motion";
import { MotionServer } from "@rcsp/rcsp/server";
import type { BridgeStatus } from "../bridge_status.ts";
import { RECONNECT } from "./driver_link.ts";
import { UI_LIMITS } from "./limits.ts";
import type { SimulatedDriver } from "./simulated_driver.ts";

const HEADER_SIZE = 8;

/** Options of {@link MotionRelay}. */
export interface MotionRelayOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Default: the runtime's. */
  readonly connector?: Connector | undefined;
  /** The simulator to connect to instead, once there is one. */
  readonly simulated: () => SimulatedDriver | undefined;
  /** Called when the state has changed. */
  readonly onChange: () => void;
  /** Called with why a page was disconnected. */
  readonly onError: (error: unknown) => void;
}

/** Connects, and connects again, until it is closed. A page that reads slowly gets the newest poses. */
export class MotionRelay {
  /** What the pages are accepted by. */
  readonly server: MotionServer;
  readonly #options: MotionRelayOptions;
  readonly #closing = new AbortController();
  readonly #opening: Promise<void>;
  /** The devices that the pages know. */
  readonly #defined = new Set<number>();
  #client: MotionClient | undefined;
  #hasFailed = false;
  /** The frame that is being passed on. */
  #frame = new Uint8Array(HEADER_SIZE);

  constructor(options: MotionRelayOptions) {
    this.#options = options;
    this.server = new MotionServer({
      maxClients: UI_LIMITS.pages,
      maxUnsent: UI_LIMITS.unsent,
      closeTimeout: UI_LIMITS.closeTimeout,
      onError: (error) => options.onError(error),
    });
    this.#opening = this.#open();
  }

  /** The state of the connection. */
  get state(): BridgeStatus["motion"] {
    const state = this.#client?.status.state;
    if (state === undefined) return this.#hasFailed ? "reconnecting" : "connecting";
    return state === "closed" ? "off" : state;
  }

  /** Ends the connections on both sides. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The bridge is closed"));
    await this.#opening;
    await Promise.all([this.#client?.close(), this.server.close()]);
  }

  async #open(): Promise<void> {
    const { host, port, connector = runtimeConnector, simulated, onChange } = this.#options;
    const { signal } = this.#closing;
    let client: MotionClient;
    try {
      client = await connectMotion({
        host,
        port,
        signal,
        connector: (address, options) =>
          (simulated()?.motionConnector ?? connector)(address, options),
        reconnect: {
          ...RECONNECT,
          firstConnect: true,
          decide: () => {
            this.#hasFailed = true;
            onChange();
            return true;
          },
        },
        onFrame: (prefix, payload) => {
          if (prefix === MotionPrefix.Data) this.#passOn(payload);
        },
      });
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error);
      return;
    }
    this.#client = client;
    for (const device of client.devices()) this.#define(device);
    client.on("definition", (device) => this.#define(device));
    client.on("disconnect", ({ id }) => this.#disconnect(id));
    client.on("status", onChange);
    onChange();
  }

  #define({ id, definition }: MotionDevice): void {
    if (definition === undefined) return this.#disconnect(id);
    this.#defined.add(id);
    this.server.define(definition.raw);
  }

  #disconnect(id: number): void {
    if (this.#defined.delete(id)) this.server.disconnect(id);
  }

  #passOn(payload: Uint8Array): void {
    if (payload.length < 16) return;
    const { buffer, byteOffset, length } = payload;
    const id = new DataView(buffer, byteOffset, length).getUint32(0, true);
    if (!this.#defined.has(id)) return;
    const size = HEADER_SIZE + length;
    if (this.#frame.length !== size) {
      this.#frame = new Uint8Array(size);
      const header = new DataView(this.#frame.buffer);
      header.setUint32(0, MotionPrefix.Data, true);
      header.setUint32(4, length, true);
    }
    this.#frame.set(payload, HEADER_SIZE);
    this.server.send(this.#frame);
  }
}
