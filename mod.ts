/**
 * Talk to Rokoko motion-capture hardware by RCSP (Rokoko Command Server Protocol), from Deno, Bun and
 * Node.
 *
 * ```ts
 * import { connect } from "@rcsp/rcsp";
 * import { startSimulator } from "@rcsp/rcsp/simulator";
 *
 * const simulator = await startSimulator({ port: 0 }); // no hardware at hand
 *
 * const rcsp = await connect(simulator.address); // connect() alone: localhost:45451
 * const [glove] = await rcsp.listDevices();
 * if (glove === undefined) throw new Error("no device is connected");
 * await rcsp.setColorLed(glove.DeviceId, { LedId: "RingLed", Red: 255, Green: 0, Blue: 0 });
 * console.log(await rcsp.getDeviceInfo(glove.DeviceId));
 *
 * await rcsp.close();
 * await simulator.close();
 * ```
 *
 * @module
 */

import { diagnostics } from "./adapters/diagnostics.ts";
import { connector } from "./adapters/runtime.ts";
import type { RcspClient } from "./src/client/rcsp_client.ts";
import { createClient } from "./src/client/create_client.ts";
import { type ConnectOptions, withTarget } from "./src/client/options.ts";

export { connector } from "./adapters/runtime.ts";
export * from "./src/mod.ts";

/**
 * Connects to an RCSP server, by default the Rokoko SDK on this machine (`localhost:45451`).
 *
 * ```ts no-run
 * import { connect } from "@rcsp/rcsp";
 *
 * await connect("10.0.0.5:45451", { commandTimeout: 2_000 });
 * await connect("rcsp://studio.local");
 * await connect({ host: "::1", port: 45451 });
 * ```
 *
 * Rejects with a `ConnectionError` (connection refused, unknown host, …), a `TimeoutError` after
 * `connectTimeout`, the signal's reason, or a `TypeError` or `RangeError` if an option is invalid or
 * unknown.
 *
 * @param target `host`, `host:port`, `rcsp://host:port`, or the options.
 * @param options The options, if the target is an address.
 */
export async function connect(
  target: string | URL | ConnectOptions = {},
  options: ConnectOptions = {},
): Promise<RcspClient> {
  const all = withTarget(target, options);
  const { connector: open = connector, tracing = diagnostics() } = all;
  return await createClient(open, { ...all, tracing });
}
