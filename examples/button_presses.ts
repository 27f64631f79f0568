/**
 * Prints the presses of a device's button until Ctrl-C, and unsubscribes on the way out.
 *
 *     deno run -A examples/button_presses.ts --simulate
 */

import { connect, type RcspClient } from "@rcsp/rcsp";
import { deviceId, inline, interruption, print, runExample, tell } from "./support/command_line.ts";

const options = {
  usage: "button_presses.ts [--device ID] [--count N]\n\n" +
    "  --device ID      whose button (the first device's)\n" +
    "  --count N        end after so many presses (with --simulate: 3)",
  flags: ["device", "count"],
  simulator: { pressEvery: 100 },
};

await runExample(options, async ({ server, simulate, text, wholeNumber }) => {
  const count = wholeNumber("count", 1, Number.MAX_SAFE_INTEGER) ?? (simulate ? 3 : Infinity);
  const wanted = text("device");

  // A connection that is lost comes back, and the subscription with it.
  await using rcsp = await connect({ ...server, reconnect: {} });
  const id = wanted === undefined ? (await rcsp.listDevices())[0]?.DeviceId : deviceId(wanted);
  if (id === undefined) throw new Error("No devices connected");

  await using presses = rcsp.buttonPresses(id);
  await presses.ready;
  tell(`Waiting for the button of device ${inline(id)}: Ctrl-C ends`);
  tellGaps(rcsp);

  // Unsubscribing ends the loop below.
  const interrupted = interruption();
  interrupted.addEventListener("abort", () => void presses.unsubscribe());
  let left = count;
  for await (const press of presses) {
    print(`${press.type} on device ${inline(press.deviceId)}`);
    if (--left === 0) break;
  }
});

async function tellGaps(rcsp: RcspClient): Promise<void> {
  for await (const status of rcsp.statuses()) {
    if (status.state === "reconnecting" && status.attempt === 1) {
      tell(`Connection lost, trying again: ${status.cause.message}`);
    } else if (status.state === "ready" && status.reconnects > 0) {
      tell(`Connected again: the presses of ${Math.round(status.gap)} ms may be missing`);
    }
  }
}
