/**
 * Many simulated drivers, each with an `rcsp mqtt` of its own, on one mosquitto that is restarted while
 * buttons are pressed; a reader counts what arrives, and how late. All but the broker is in this process.
 *
 *     deno run -A dev/mqtt_load.ts [--drivers 100] [--seconds 60] [--every 100] [--restarts 2] [--away 3]
 *
 * `--every` is in milliseconds, `--away` is how many seconds the broker is away. Needs `mosquitto`.
 * Ends with 1 if a press is missing.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import { runtime } from "../tests/support/runtime.ts";
import { settledHeap } from "./fuzz/memory.ts";
import { Mosquitto } from "./mqtt_load/mosquitto.ts";
import { Station } from "./mqtt_load/station.ts";

const { values } = parseArgs({
  options: {
    drivers: { type: "string", default: "100" },
    seconds: { type: "string", default: "60" },
    every: { type: "string", default: "100" },
    restarts: { type: "string", default: "2" },
    away: { type: "string", default: "3" },
  },
});
const drivers = Number(values.drivers);
const length = Number(values.seconds) * 1_000;
const every = Number(values.every);
const restarts = Number(values.restarts);
const away = Number(values.away) * 1_000;
/** Milliseconds after the last press until what is not there counts as missing. */
const PATIENCE = 30_000;

const sleep = (delay: number): Promise<void> => new Promise((done) => setTimeout(done, delay));
const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
const rss = (): number => mebibytes(process.memoryUsage().rss);

const broker = await Mosquitto.create();
await broker.start();
const url = `mqtt://127.0.0.1:${broker.port}`;

/** When each press arrived first, by site and number. */
const arrived = new Map<string, number[]>();
let [messages, twice] = [0, 0];
const reader = mqtt.connect(url, { clientId: "reader", clean: false, reconnectPeriod: 100 });
reader.on("error", () => {});
reader.on("message", (topic, payload) => {
  const site = topic.split("/")[1]!;
  const times = arrived.get(site) ?? [];
  arrived.set(site, times);
  const number = Date.parse(JSON.parse(payload.toString()).time);
  messages++;
  if (times[number] === undefined) times[number] = performance.now();
  else twice++;
});
await new Promise<void>((done) => reader.once("connect", () => done()));
await reader.subscribeAsync("rokoko/+/+/button", { qos: 1 });

const stations: Station[] = [];
for (let i = 0; i < drivers; i++) stations.push(await Station.start(`load-${i}`, url));
while (!stations.every(({ log }) => log.includes("Connected to broker"))) await sleep(100);
// Until all have subscribed.
await sleep(3_000);

const heapBefore = await settledHeap();
const start = performance.now();
const memory: number[] = [rss()];
/** From when on the broker was away, and until when presses may be late by it. */
const outages: [from: number, to: number][] = [];
let turn = 0;
const press = (): void => {
  // One after the other, as people do not press in step; what a busy machine has missed is made up for.
  const due = Math.min(performance.now() - start, length) * drivers / every;
  for (; turn < due; turn++) stations[turn % drivers]!.press();
};
const turns = setInterval(press, 5);
const sampler = setInterval(() => memory.push(rss()), 10_000);
for (let i = 1; i <= restarts; i++) {
  await sleep(start + i * length / (restarts + 1) - performance.now());
  const from = performance.now();
  await broker.stop();
  await sleep(away);
  await broker.start();
  // Until the last one has tried again: at most two seconds.
  outages.push([from, performance.now() + 3_000]);
}
await sleep(start + length - performance.now());
clearInterval(turns);
press();

const pressed = (): number => stations.reduce((sum, { pressedAt }) => sum + pressedAt.length, 0);
for (const end = performance.now() + PATIENCE; messages - twice < pressed();) {
  if (performance.now() > end) break;
  await sleep(100);
}
clearInterval(sampler);
memory.push(rss());
const heapAfter = await settledHeap();
const codes = await Promise.all(stations.map((station) => station.stop()));
await reader.endAsync(true);
await broker[Symbol.asyncDispose]();

const [calm, late]: [number[], number[]] = [[], []];
let missing = 0;
for (const { site, pressedAt } of stations) {
  pressedAt.forEach((at, number) => {
    const end = arrived.get(site)?.[number];
    if (end === undefined) return void missing++;
    const isCalm = outages.every(([from, to]) => end < from || at > to);
    (isCalm ? calm : late).push(end - at);
  });
}
const dropped = stations.filter(({ log }) => /, \d+ dropped|dropped as/.test(log)).length;
console.log(
  `${runtime}: ${drivers} drivers with 4 devices, a press of each driver every ${every} ms`,
);
console.log(
  `presses    ${pressed()} in ${length / 1_000} s, ${Math.round(pressed() * 1_000 / length)}/s`,
);
console.log(`arrived    ${messages - twice}, missing ${missing}, twice ${twice}`);
console.log(`dropped    said by ${dropped} of ${drivers}; exit codes ${[...new Set(codes)]}`);
console.log(`latency    ${quantiles(calm)} (${calm.length} presses)`);
console.log(
  `outages    ${restarts} of ${away / 1_000} s: ${quantiles(late)} (${late.length} presses)`,
);
console.log(`rss        ${memory.join(", ")} MiB, every 10 s`);
console.log(
  `heap       ${mebibytes(heapBefore)} MiB before, ${mebibytes(heapAfter)} MiB after, collected`,
);
process.exit(missing === 0 ? 0 : 1);

function quantiles(times: number[]): string {
  times.sort((one, other) => one - other);
  const at = (share: number): string =>
    `${times[Math.floor((times.length - 1) * share)]?.toFixed(1)} ms`;
  return `median ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`;
}
