/**
 * Sockets on whichever runtime this is.
 *
 * @module
 */

import type { Connector, Listen, Listener, Socket } from "../src/socket.ts";

/** Opens a socket with what the runtime has: `Deno.connect`, `Bun.connect` or `node:net`. */
export const connector: Connector = async (address, options): Promise<Socket> =>
  await (await adapter()).connector(address, options);

/** Listens with what the runtime has: `Deno.listen`, `Bun.listen` or `node:net`. */
export const listen: Listen = async (options): Promise<Listener> =>
  await (await adapter()).listen(options);

// Literal, so that bundlers and JSR see them; only one is loaded.
function adapter(): Promise<{ connector: Connector; listen: Listen }> {
  if ("Deno" in globalThis) return import("./deno.ts");
  if ("Bun" in globalThis) return import("./bun.ts");
  return import("./node.ts");
}
