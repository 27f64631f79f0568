/**
 * The HTTP server of `rcsp ui`: the page's files and its WebSockets, for those that may have them.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../process/io.ts";
import { quote } from "../../text/values.ts";
import type { PageFile } from "../page_files.ts";
import { Access, type AccessOptions, type Refusal } from "./access.ts";
import { refuseSocket, sendFile, sendRefusal } from "./http_responses.ts";
import { UI_LIMITS } from "./limits.ts";
import { RefusalLog } from "../../terminal/refusal_log.ts";
import { WebSockets } from "./web_sockets.ts";

/** A WebSocket that pages may open. */
export interface WebSocketRoute {
  /** The sub-protocol, which the page must offer. */
  readonly protocol: string;
  /** Called with each that is accepted. */
  onOpen(webSocket: WebSocket, remote: string): void;
}

/** Options of {@link WebServer}. */
export interface WebServerOptions extends Omit<AccessOptions, "port"> {
  /** The page's files by their path. Nothing else is served. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** The WebSockets by their path. */
  readonly routes: ReadonlyMap<string, WebSocketRoute>;
  readonly clock: Clock;
  /** Logs a line; foreign text in it is quoted. */
  readonly log: (text: string) => void;
}

/** Listens from `listen()` to `close()`. */
export class WebServer {
  readonly #options: WebServerOptions;
  readonly #clock: Clock;
  readonly #log: RefusalLog;
  readonly #server: Server;
  readonly #upgrader: WebSocketServer;
  readonly #webSockets: WebSockets;
  /** The open connections, each with the timer of its deadline, if it has one. */
  readonly #connections = new Map<Duplex, unknown>();
  #access: Access | undefined;

  constructor(options: WebServerOptions) {
    const { clock, log } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = new RefusalLog(clock, log);
    this.#webSockets = new WebSockets(clock, (text) => this.#log.add(text));
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: UI_LIMITS.message,
      perMessageDeflate: false,
      // The token stays out of the response.
      handleProtocols: (_offered, { url = "" }) => options.routes.get(url)?.protocol ?? false,
    });
    this.#upgrader.on("wsClientError", ({ message }, socket, request) => {
      this.#refuseSocket(socket, { status: 400, reason: message }, request);
    });
    // The deadlines are our own: every connection has one.
    const limits = { maxHeaderSize: UI_LIMITS.head, headersTimeout: 0, requestTimeout: 0 };
    this.#server = createServer({ ...limits, requireHostHeader: false });
    this.#server.on("connection", (socket) => this.#onConnection(socket));
    this.#server.on("request", (request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on("connect", (request, socket) => {
      this.#refuseSocket(socket, { status: 405, reason: "the method is CONNECT" }, request);
    });
    this.#server.on("clientError", (error, socket) => this.#onInvalid(error, socket as Socket));
  }

  /** Whether a page at this `host:port` could reach it. */
  allowsHost(host: string): boolean {
    return this.#access?.allowsHost(host) ?? false;
  }

  /** Starts to listen, and returns the port. Rejects with the runtime's error. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(port, host, resolve);
    await promise.finally(() => this.#server.off("error", reject));
    const { port: actual } = this.#server.address() as AddressInfo;
    this.#access = new Access({ ...this.#options, port: actual });
    return actual;
  }

  /** Stops, and closes every connection. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#webSockets.close();
    for (const [socket, timer] of this.#connections) {
      this.#clock.clear(timer);
      socket.destroy();
    }
    await promise;
  }

  #onConnection(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (this.#connections.size >= UI_LIMITS.connections) {
      this.#log.add(`Refused ${remoteOf(socket)}: ${UI_LIMITS.connections} connections are open`);
      socket.destroy();
      return;
    }
    socket.on("close", () => {
      this.#clock.clear(this.#connections.get(socket));
      this.#connections.delete(socket);
    });
    this.#setDeadline(socket, UI_LIMITS.handshakeTimeout, () => {
      const reason = `no request within ${UI_LIMITS.handshakeTimeout} ms`;
      this.#refuseSocket(socket, { status: 408, reason });
    });
  }

  #setDeadline(socket: Duplex, delay: number, action: () => void): void {
    this.#clock.clear(this.#connections.get(socket));
    this.#connections.set(socket, this.#clock.set(action, delay));
  }

  #onInvalid(error: Error & { code?: string }, socket: Socket): void {
    const { code = "" } = error;
    // Browsers open connections that they then do not use.
    const isInvalid = code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE";
    if (!isInvalid || !socket.writable) return void socket.destroy();
    const status = code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    const reason = status === 431 ? `its head is longer than ${UI_LIMITS.head} bytes` : "not HTTP";
    this.#refuseSocket(socket, { status, reason });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#setDeadline(request.socket, UI_LIMITS.responseTimeout, () => request.socket.destroy());
    const { method = "", url = "" } = request;
    const file = this.#options.files.get(url);
    const refusal = this.#check(request) ?? refuseUnknown(method, file !== undefined);
    if (refusal === undefined && file !== undefined) return sendFile(response, file);
    const { status, reason } = refusal ?? NOT_FOUND;
    this.#logRefusal({ status, reason }, request.socket, request);
    sendRefusal(response, status);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const { method = "", url = "" } = request;
    const route = this.#options.routes.get(url);
    const refusal = this.#check(request) ?? refuseUnknown(method, route !== undefined) ??
      this.#access?.checkProtocols(request, route?.protocol ?? "") ??
      (this.#webSockets.hasRoom(url) ? undefined : TOO_MANY_PAGES);
    if (refusal !== undefined) return this.#refuseSocket(socket, refusal, request);
    const remote = remoteOf(request.socket);
    this.#upgrader.handleUpgrade(request, socket, head as Buffer, (webSocket) => {
      this.#clock.clear(this.#connections.get(socket));
      this.#webSockets.add(webSocket, url, remote);
      route?.onOpen(webSocket, remote);
    });
  }

  #check(request: IncomingMessage): Refusal | undefined {
    return this.#access === undefined ? NOT_FOUND : this.#access.checkSource(request);
  }

  #refuseSocket(socket: Duplex, refusal: Refusal, request?: IncomingMessage): void {
    this.#logRefusal(refusal, socket as Socket, request);
    // It must not be left to the other end to end the connection.
    this.#setDeadline(socket, UI_LIMITS.handshakeTimeout, () => socket.destroy());
    refuseSocket(socket, refusal.status);
  }

  #logRefusal({ status, reason }: Refusal, socket: Socket, request?: IncomingMessage): void {
    const what = request === undefined ? "" : `${request.method} ${quote(request.url ?? "")} of `;
    this.#log.add(`Refused ${what}${remoteOf(socket)}: ${reason} (${status})`);
  }
}

const NOT_FOUND: Refusal = { status: 404, reason: "no such path" };
const TOO_MANY_PAGES: Refusal = { status: 503, reason: `${UI_LIMITS.pages} pages are open` };

function refuseUnknown(method: string, isKnown: boolean): Refusal | undefined {
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, reason: "the method is not GET or HEAD" };
  }
  return isKnown ? undefined : NOT_FOUND;
}

function remoteOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return remoteAddress.includes(":")
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}
