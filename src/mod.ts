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

export type {
  Address,
  Connector,
  ConnectorOptions,
  KeepAliveOptions,
  Listen,
  Listener,
  ListenOptions,
  Socket,
} from "./socket/socket.ts";
export { fromStreams } from "./socket/from_streams.ts";
export type { StreamPair } from "./socket/from_streams.ts";
export { createClient } from "./client/create_client.ts";
export { DEFAULT_ADDRESS } from "./client/options.ts";
export type { CallOptions, ConnectOptions, TestHooks } from "./client/options.ts";
export type { RcspClient } from "./client/client.ts";
export type { Clock } from "./clock.ts";
export type { ButtonPress, ColorLed, Device } from "./client/device.ts";
export type { ReconnectOptions } from "./client/reconnect.ts";
export type { ClientStats } from "./client/stats.ts";
export type { ClientStatus } from "./client/status.ts";
export type { CallTrace, Channel, ConnectTrace, Tracing } from "./client/tracing.ts";
export type { TracedFrame } from "./client/connection.ts";
export type { Overflow, SubscribeOptions, Subscription } from "./client/subscription.ts";
export { DIALECT } from "./dialect.ts";
export type { Dialect, DialectOptions } from "./dialect.ts";
export {
  CommandError,
  ConnectionError,
  LimitError,
  ProtocolError,
  RcspError,
  TimeoutError,
} from "./errors.ts";
export type {
  ConnectionErrorCode,
  ErrorBody,
  ProtocolErrorCode,
  ProtocolErrorDetail,
  RcspErrorCode,
} from "./errors.ts";
export { LIMITS } from "./limits.ts";
export type { Limits } from "./limits.ts";
export type { Arguments, DeviceId } from "./message/command.ts";
export { PRESS_TYPES } from "./message/event.ts";
export type { EventFilter, OutgoingEvent, PressType, RcspEvent } from "./message/event.ts";
export type { JsonObject, JsonValue } from "./message/json.ts";
export { escapeUnprintable } from "./escape.ts";
export { VERSION } from "./version.ts";
export { FrameDecoder } from "./wire/decoder.ts";
export type { FrameDecoderOptions, FrameSink } from "./wire/decoder.ts";
export { encodeFrame } from "./wire/encoder.ts";
export {
  HEADER_SIZE,
  HEADER_VERSION,
  MARKER,
  PayloadType,
  readHeader,
  writeHeader,
} from "./wire/header.ts";
export type { Header } from "./wire/header.ts";
export { FrameDecoderStream, FrameEncoderStream } from "./wire/streams.ts";
export type { Frame, OutgoingFrame } from "./wire/streams.ts";
