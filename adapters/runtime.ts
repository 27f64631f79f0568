/**
 * TCP sockets on the current runtime.
 *
 * @module
 */

import type { Connector, Listen, Listener, Socket } from "../src/socket/socket.ts";

/** Opens a socket with `Deno.connect`, `Bun.connect` or `node:net`. */
export const connector: Connector = async (address, options): Promise<Socket> =>
  await (await adapter()).connector(address, options);

/** Listens with `Deno.listen`, `Bun.listen` or `node:net`. */
export const listen: Listen = async (...args): Promise<Listener> =>
  await (await adapter()).listen(...args);

// Literal imports, so that bundlers and JSR see them; only one is loaded.
function adapter(): Promise<{ connector: Connector; listen: Listen }> {
  if ("Deno" in globalThis) return import("./deno.ts");
  if ("Bun" in globalThis) return import("./bun.ts");
  return import("./node.ts");
}
