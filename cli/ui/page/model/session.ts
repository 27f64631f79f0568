/** The page's connection to the bridge: the library's own client over a WebSocket, and what it says. */

import { type JsonObject, type RcspClient, startClient, type TracedFrame } from "@rcsp/rcsp/core";
import { createMotionClient, type MotionClient } from "@rcsp/rcsp/motion";
import { webSocketConnector } from "@rcsp/rcsp/websocket";
import { type BridgeStatus, readBridgeStatus } from "./bridge_status.ts";
import { Emitter } from "./emitter.ts";
import { FrameNames } from "./frame_names.ts";
import { MessageLog } from "./message_log.ts";
import { RoundTrips } from "./round_trips.ts";

/** The state of the page's own connection; `refused` means that the token is a wrong one. */
export type Link = "connecting" | "open" | "gone" | "refused" | "no-token";

/** What the parts of the page listen to. */
export interface SessionEvents {
  /** The client has connected for the first time. */
  client: (client: RcspClient) => void;
  /** The bridge has sent its status. */
  bridge: (status: BridgeStatus) => void;
  /** The page's own connection has changed. */
  link: (link: Link) => void;
  /** The log has changed. */
  log: () => void;
  /** A round trip was measured. */
  trip: () => void;
  /** The client of the hands is there; called once. */
  motion: (motion: MotionClient) => void;
}

/** Milliseconds between attempts to reach the bridge again, at most. */
const LONGEST_RETRY = 2_000;

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
  #socket: WebSocket | undefined;
  #hasMotion = false;

  /** Connects, and stays connected: nothing throws, all is said by events. */
  open(token: string | undefined): void {
    if (token === undefined) return this.#setLink("no-token");
    const connector = webSocketConnector(addressOf("/rcsp"), {
      protocols: ["rcsp.v1", `token.${token}`],
      onText: (text) => this.#onText(text, token),
      WebSocket: trackedSocket((socket) => this.#socket = socket),
    });
    const client = startClient(connector, {
      reconnect: { maxDelay: LONGEST_RETRY },
      heartbeat: HEARTBEAT,
      onFrame: (frame) => this.#onFrame(frame),
    });
    client.on("status", ({ state }) => {
      if (state === "reconnecting") void this.#explainLoss();
      if (state !== "ready") return;
      this.#setLink("open");
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
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send('{"simulate":true}');
  }

  addTrip(value: number | undefined): void {
    this.trips.add({ at: performance.now(), value });
    this.emit("trip");
  }

  #onText(text: string, token: string): void {
    const status = readBridgeStatus(text);
    if (status === undefined) return;
    this.bridge = status;
    this.emit("bridge", status);
    if (status.motion === "off" || this.#hasMotion) return;
    this.#hasMotion = true;
    void this.#openMotion(token);
  }

  async #openMotion(token: string): Promise<void> {
    const protocols = ["rgmp.v2", `token.${token}`];
    const motion = await createMotionClient(
      webSocketConnector(addressOf("/rgmp"), { protocols }),
      { reconnect: { firstConnect: true, maxDelay: LONGEST_RETRY } },
    );
    this.emit("motion", motion);
  }

  /** A browser does not say why a WebSocket failed: whether the bridge still serves its page does. */
  async #explainLoss(): Promise<void> {
    const isThere = await fetch("/", { method: "HEAD", cache: "no-store" }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (this.client?.status.state !== "ready") this.#setLink(isThere ? "refused" : "gone");
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

/** The class of the page's WebSockets, which hands over each one: RCSP has no message for a text. */
function trackedSocket(onSocket: (socket: WebSocket) => void): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      onSocket(this);
    }
  };
}
