/**
 * What `connect()` is on every runtime: the sockets of the adapter, the channels of the runtime.
 *
 * @module
 */

import type { RcspClient } from "../src/client/client.ts";
import { connectThrough } from "../src/client/connect.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import type { Connector } from "../src/socket.ts";
import { diagnostics } from "./diagnostics.ts";

/** Connects through the connector of an adapter, unless the options bring one. */
export function connectBy(connector: Connector, options: ConnectOptions): Promise<RcspClient> {
  const tracing = options.tracing ?? diagnostics();
  return connectThrough(options.connector ?? connector, { ...options, tracing });
}
