/**
 * The server side of RCSP, for drivers of your own, proxies and tests.
 *
 * ```ts
 * import { listen, RcspServer } from "@rcsp/rcsp/server";
 *
 * const server = new RcspServer();
 * server.handle("ListDevices", () => ({ Devices: [{ DeviceId: 1 }] }));
 * await server.serve(listen, { port: 0 });
 * console.log(server.addresses);
 * await server.close();
 * ```
 *
 * @module
 */

export { listen } from "./adapters/runtime.ts";
export { RcspServer } from "./src/server/server.ts";
export type { ServerOptions } from "./src/server/server.ts";
export { forward } from "./src/server/forward.ts";
export type { ForwardOptions } from "./src/server/forward.ts";
export type {
  ClientHandle,
  Handler,
  HandlerContext,
  HandlerResult,
} from "./src/server/command_context.ts";
export { MotionServer } from "./src/motion/motion_server.ts";
export type { MotionServerOptions, MotionServerStats } from "./src/motion/motion_server.ts";
export type { Command, DeviceId } from "./src/message/command.ts";
export type { EventFilter, OutgoingEvent, PressType } from "./src/message/event.ts";
export type { JsonObject, JsonValue } from "./src/message/json.ts";
export { CommandError } from "./src/errors.ts";
export type { ConnectionErrorCode, ErrorBody, ProtocolErrorDetail } from "./src/errors.ts";
export type {
  Address,
  KeepAliveOptions,
  Listen,
  Listener,
  ListenOptions,
  Socket,
} from "./src/socket/socket.ts";
export type { Limits } from "./src/limits.ts";

// For proxies and tools: what the client and the server read and write messages with.
export { COLOR_NAMES, parseColor } from "./src/client/color.ts";
export type { Color } from "./src/client/color.ts";
export { DEFAULT_ADDRESS, parseTarget } from "./src/client/options.ts";
export { dialect as resolveDialect, readPath } from "./src/dialect.ts";
export { findPressType, PRESS_TYPES } from "./src/message/event.ts";
export { parseBody } from "./src/message/json.ts";
export { jsonMembers } from "./src/message/json_text.ts";
export type { JsonMember } from "./src/message/json_text.ts";
export { formatAddress } from "./src/socket/address.ts";
