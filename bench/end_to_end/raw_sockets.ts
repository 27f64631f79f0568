/** Selects the raw sockets of the current runtime. */

import { runtime } from "../../tests/support/runtime.ts";
import type { RawSockets } from "./raw_socket.ts";

/** The sockets of the current runtime. */
export async function rawSockets(): Promise<RawSockets> {
  switch (runtime) {
    case "deno":
      return (await import("./raw_deno.ts")).sockets;
    case "bun":
      return (await import("./raw_bun.ts")).sockets;
    case "node":
      return (await import("./raw_node.ts")).sockets;
  }
}
