/**
 * The one connection to the driver that all pages share.
 *
 * @module
 */

import { type ConnectOptions, connector, type RcspClient, startClient } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import type { BridgeStatus } from "../bridge_status.ts";
import type { SimulatedDriver } from "./simulated_driver.ts";

/** Milliseconds between attempts to connect: a person may be waiting. */
export const RECONNECT = { initialDelay: 100, maxDelay: 2_000 } as const;
/** Milliseconds without received bytes after which the driver is asked for a sign of life. */
const HEARTBEAT = 5_000;

/** Options of {@link DriverLink}. */
export interface DriverLinkOptions {
  /** Where the driver is, and everything else that `connect()` takes. */
  readonly server: ConnectOptions;
  /** The simulator to connect to instead, once there is one. */
  readonly simulated: () => SimulatedDriver | undefined;
  /** Called when the status has changed. */
  readonly onChange: () => void;
}

/** What is known of the connection. */
export type DriverStatus = Pick<
  BridgeStatus,
  "driver" | "state" | "roundTrip" | "reconnects" | "gap" | "error" | "simulating"
>;

/** Connects, and connects again, until it is closed. */
export class DriverLink {
  /** The client, from the start: it need not be connected. */
  readonly client: RcspClient;
  readonly #options: DriverLinkOptions;
  /** Whether the newest connection, or attempt, is to the simulator. */
  #simulating = false;
  #reconnects = 0;
  #gap: number | null = null;

  constructor(options: DriverLinkOptions) {
    const { server, simulated, onChange } = options;
    this.#options = options;
    const dial = server.connector ?? connector;
    this.client = startClient(
      (address, options) => {
        const simulator = simulated();
        this.#simulating = simulator !== undefined;
        return (simulator?.connector ?? dial)(address, options);
      },
      { ...server, heartbeat: HEARTBEAT, reconnect: RECONNECT },
    );
    this.client.on("status", (status) => {
      if (status.state === "ready") {
        this.#reconnects = status.reconnects;
        this.#gap = status.reconnects === 0 ? null : status.gap;
      }
      onChange();
    });
  }

  /** The current status. */
  get status(): DriverStatus {
    const { server } = this.#options;
    const { host = DEFAULT_ADDRESS.host, port = DEFAULT_ADDRESS.port } = server;
    const simulating = this.#simulating;
    const { status } = this.client;
    const { roundTrip } = this.client.stats();
    return {
      driver: simulating ? "simulator" : formatAddress({ host, port }),
      state: status.state,
      roundTrip: roundTrip === undefined ? null : Math.round(roundTrip * 100) / 100,
      reconnects: this.#reconnects,
      gap: this.#gap,
      error: "cause" in status ? status.cause?.message ?? null : null,
      simulating,
    };
  }
}
