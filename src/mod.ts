/**
 * The core of the module: all of the client and of the wire, without any I/O of its own. It runs
 * wherever there are `Uint8Array`, Web Streams and timers; the socket is yours to bring.
 *
 * ```ts
 * import { createClient, fromStreams, type StreamPair } from "@rcsp/rcsp/core";
 *
 * async function list(streams: StreamPair) {
 *   const connector = () => Promise.resolve(fromStreams(streams));
 *   const rcsp = await createClient(connector, { reconnect: false });
 *   return await rcsp.listDevices();
 * }
 * ```
 *
 * @module
 */

export { createClient, startClient } from "./client/create_client.ts";
export type { ConnectOptions } from "./client/options.ts";
export type {
  CallOptions,
  ClientStats,
  ClientStatus,
  RcspClient,
  StopListening,
} from "./client/rcsp_client.ts";
export type { ButtonPress, ColorLed, Device } from "./client/device.ts";
export type { SubscribeOptions, Subscription } from "./client/subscription.ts";
export type { ReconnectOptions } from "./client/reconnect.ts";
export type { CallTrace, ConnectTrace, Tracing } from "./client/tracing.ts";
export type { TracedFrame } from "./client/connection.ts";
export type { Arguments, DeviceId } from "./message/command.ts";
export type { EventFilter, PressType, RcspEvent } from "./message/event.ts";
export type { JsonObject, JsonValue } from "./message/json.ts";
export type { Dialect, DialectOptions } from "./dialect.ts";
export { LIMITS } from "./limits.ts";
export {
  CommandError,
  ConnectionError,
  LimitError,
  ProtocolError,
  RcspError,
  TimeoutError,
} from "./errors.ts";
export type { RcspErrorCode } from "./errors.ts";
export { fromStreams } from "./socket/from_streams.ts";
export type { StreamPair } from "./socket/from_streams.ts";
export type { Address, Connector, ConnectorOptions, Socket } from "./socket/socket.ts";
export { escapeUnprintable } from "./escape.ts";
export { VERSION } from "./version.ts";
