/** The servers of the end-to-end bench in one process, which ends with its stdin. */

import process from "node:process";
import { listen, RcspServer } from "../../server.ts";
import { DEVICES, EVENT_JSON, FLOOD_EVENTS } from "./messages.ts";
import { servePlain } from "./plain_server.ts";
import { rawSockets } from "./raw_sockets.ts";
import type { Ports } from "./tasks.ts";

const { Publisher, Topic, DeviceId, Data } = JSON.parse(EVENT_JSON);
const event = { publisher: Publisher, topic: Topic, deviceId: DeviceId, data: Data };

const server = new RcspServer({ maxUnsent: 256 * 1024 * 1024 });
server.handle("ListDevices", () => DEVICES);
server.handle("Flood", () => {
  for (let i = 0; i < FLOOD_EVENTS; i++) server.publish(event);
});
const { port } = await server.serve(listen, { port: 0 });

const plain = await (await rawSockets()).listen(servePlain);
const ports: Ports = { plain, ours: port };
console.log(JSON.stringify(ports));

process.stdin.resume();
process.stdin.on("end", () => process.exit());
