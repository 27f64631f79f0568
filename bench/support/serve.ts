/** The servers of the end-to-end bench, in a process of their own. Ends with its standard input. */

import process from "node:process";
import { listen, RcspServer } from "../../server.ts";
import { servePlainly } from "../peers/plain_server.ts";
import { rawSockets } from "../peers/raw.ts";
import { DEVICES, EVENT_JSON, FLOOD_EVENTS } from "./wire.ts";

const { Publisher, Topic, DeviceId, Data } = JSON.parse(EVENT_JSON);
const event = { publisher: Publisher, topic: Topic, deviceId: DeviceId, data: Data };

const server = new RcspServer({ maxUnsent: 256 * 1024 * 1024 });
server.handle("ListDevices", () => DEVICES);
server.handle("Flood", () => {
  for (let i = 0; i < FLOOD_EVENTS; i++) server.publish(event);
});
await server.serve(listen, { port: 0 });

const plain = await (await rawSockets()).listen(servePlainly);
console.log(JSON.stringify({ ours: server.addresses[0]!.port, plain }));

process.stdin.resume();
process.stdin.on("end", () => process.exit());
