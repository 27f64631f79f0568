/**
 * A simulated driver, a proxy that does wrong, and many clients that call and count button presses,
 * for the given time; at the end every call and every event is accounted for. Beside it, the same for a
 * server and clients of the motion stream.
 *
 *     deno run -A dev/chaos.ts --seconds 600 --clients 20 --seed 1
 *
 * Ends with 1 if a call got another's answer, hung, or settled twice, or if an event came twice, out of
 * order, or was lost without a gap; or if a sample of motion was wrong, out of order, not accounted for, or not
 * the newest at the end.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "../src/simulator/random.ts";
import { FaultProxy } from "../tests/support/fault_proxy.ts";
import { ChaosClient } from "./chaos/client.ts";
import { Driver } from "./chaos/driver.ts";
import { motionChaos } from "./chaos/motion.ts";
import { faultPlan } from "./chaos/plan.ts";
import { report } from "./chaos/report.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    clients: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
  },
});
const [seconds, count, seed] = [values.seconds, values.clients, values.seed].map(Number);

const random = seededRandom(seed!);
const heapBefore = heap();
const driver = await Driver.start(random);
const proxy = await FaultProxy.start(driver.address, faultPlan(random));
const clients: ChaosClient[] = [];
for (let i = 0; i < count!; i++) {
  clients.push(await ChaosClient.connect(i, proxy.address, driver, random));
}
// One for every four clients.
const motionClients = Math.ceil(count! / 4);
const deadline = performance.now() + seconds! * 1000;
const work = clients.map((client) => client.run(deadline));
const upheaval = driver.upheave(deadline, () => proxy.cutAll(random() < 0.5 ? "reset" : "close"));
const motionRun = motionChaos(deadline, motionClients, seededRandom(seed! + 1));
await Promise.all([...work, upheaval]);
const motion = await motionRun;
await Promise.all(clients.map((client) => client.finish()));
await proxy.close();
await driver.close();
// Release what the last clients held before reading the heap again.
await new Promise((resolve) => setTimeout(resolve, 100));
const good = report({
  seconds: seconds!,
  seed: seed!,
  clients,
  driver,
  heapBefore,
  heapAfter: heap(),
  motion,
});
process.exitCode = good ? 0 : 1;

/** Heap bytes in use after a garbage collection. */
function heap(): number {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun) Bun.gc(true);
  else {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
  }
  return process.memoryUsage().heapUsed;
}
