/** The page's connection to the bridge: the library's own client over a WebSocket, and what it says. */

import { type JsonObject, type RcspClient, startClient, type TracedFrame } from "@rcsp/rcsp/core";
import { createMotionClient, type MotionClient } from "@rcsp/rcsp/motion";
import { webSocketConnector, type WebSocketLike } from "@rcsp/rcsp/websocket";
import type { BridgeStatus } from "../../bridge_status.ts";
import { Emitter } from "./emitter.ts";
import { FrameNames } from "./frame_names.ts";
import { MessageLog } from "./message_log.ts";
import { RoundTrips } from "./round_trips.ts";

/** The state of the page's own connection; `refused`: by a bridge that is there. */
export type Link = "connecting" | "open" | "gone" | "refused" | "no-token";

/** What the parts of the page listen to. */
export interface SessionEvents {
  /** The client has connected for the first time. */
  client: (client: RcspClient) => void;
  /** The bridge has sent its status. */
  bridge: (status: BridgeStatus) => void;
  /** The page's own connection has changed. */
  link: (link: Link) => void;
  /** For so many milliseconds there was no driver, or no bridge: events may be missing. */
  gap: (gap: number, without: "driver" | "bridge") => void;
  /** The log has changed. */
  log: () => void;
  /** A round trip was measured. */
  trip: () => void;
  /** The client of the hands is there; called once. */
  motion: (motion: MotionClient) => void;
}

/** Milliseconds between attempts to reach the bridge again, at most. */
const LONGEST_RETRY = 2_000;
/**
 * Refused attempts in a row that end it. A token stays wrong; but for the bridge, a page that lost its
 * connection may be open until the pings of two intervals (40 s) are not answered.
 */
const MOST_REFUSALS = 40;

/** A WebSocket does not notice that the other end is gone. Milliseconds. */
const HEARTBEAT = 5_000;

/** One per page. */
export class Session extends Emitter<SessionEvents> {
  readonly log: MessageLog = new MessageLog();
  readonly trips: RoundTrips = new RoundTrips();
  /** `undefined` before the first text of the bridge. */
  bridge: BridgeStatus | undefined;
  link: Link = "connecting";
  client: RcspClient | undefined;
  readonly #names = new FrameNames();
  #socket: WebSocketLike | undefined;
  #hasMotion = false;
  #refusals = 0;
  readonly #reconnect = {
    firstConnect: true,
    maxDelay: LONGEST_RETRY,
    decide: (): boolean => this.#refusals < MOST_REFUSALS,
  };

  /** Connects, and stays connected: nothing throws, all is said by events. */
  open(token: string | undefined): void {
    if (token === undefined) return this.#setLink("no-token");
    const connector = webSocketConnector(addressOf("/rcsp"), {
      protocols: ["rcsp.v1", `token.${token}`],
      onText: (text, webSocket) => {
        this.#socket = webSocket;
        this.#onText(text, token);
      },
    });
    const client = startClient(connector, {
      reconnect: this.#reconnect,
      heartbeat: HEARTBEAT,
      onFrame: (frame) => this.#onFrame(frame),
    });
    client.on("status", (status) => {
      if (status.state === "reconnecting") void this.#explainLoss();
      if (status.state !== "ready") return;
      this.#refusals = 0;
      this.#setLink("open");
      if (status.reconnects > 0) this.emit("gap", status.gap, "bridge");
      if (this.client === undefined) this.emit("client", this.client = client);
    });
  }

  /** Whether the bridge passes a command on. */
  allows(command: string): boolean {
    return this.bridge?.allow.includes(command) ?? false;
  }

  /** Sends a command for a person: the log shows it even if the page polls the same one. */
  async send(name: string, args?: JsonObject): Promise<JsonObject> {
    if (this.client === undefined) throw new Error("The page has no connection to the bridge");
    const done = this.#names.asked(name);
    try {
      return { response: await this.client.call(name, args ?? null) };
    } finally {
      done();
    }
  }

  /** Asks the bridge to start a simulator. */
  startSimulator(): void {
    this.#socket?.send('{"simulate":true}');
  }

  addTrip(value: number | undefined): void {
    this.trips.add({ at: performance.now(), value });
    this.emit("trip");
  }

  #onText(text: string, token: string): void {
    const status = JSON.parse(text) as BridgeStatus;
    // The page is not to say that it has missed what was before it.
    const reconnects = this.bridge?.reconnects ?? status.reconnects;
    this.bridge = status;
    this.emit("bridge", status);
    if (status.reconnects > reconnects) this.emit("gap", status.gap ?? 0, "driver");
    if (status.motion === "off" || this.#hasMotion) return;
    this.#hasMotion = true;
    // It ends when the bridge refuses this page: the notice says so.
    this.#openMotion(token).catch(() => {});
  }

  async #openMotion(token: string): Promise<void> {
    const protocols = ["rgmp.v2", `token.${token}`];
    const motion = await createMotionClient(
      webSocketConnector(addressOf("/rgmp"), { protocols }),
      { reconnect: this.#reconnect },
    );
    this.emit("motion", motion);
  }

  /** A browser does not say why a WebSocket failed: whether the bridge still serves its page does. */
  async #explainLoss(): Promise<void> {
    const isThere = await fetch("/", { method: "HEAD", cache: "no-store" }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (this.client?.status.state === "ready") return;
    this.#refusals = isThere ? this.#refusals + 1 : 0;
    this.#setLink(isThere ? "refused" : "gone");
  }

  #setLink(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    this.emit("link", link);
  }

  #onFrame({ type, payload }: TracedFrame): void {
    const json = new TextDecoder().decode(payload);
    this.log.add({ time: Date.now(), json, ...this.#names.describe(type, json) });
    this.emit("log");
  }
}

function addressOf(path: string): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}
