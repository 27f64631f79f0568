/**
 * Load scenario: a server with a thousand clients on real sockets. Half of them are mute, some
 * subscribe and never read, and all others make calls.
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { LimitError } from "../../src/errors.ts";
import { RcspServer } from "../../src/server/server.ts";
import type { Connector, Listen } from "../../src/socket/socket.ts";
import { RawClient } from "./raw_client.ts";
import { run } from "./runtime.ts";

/** Number of clients by behavior. */
export interface Crowd {
  /** Connect, and neither send nor read. */
  readonly mute: number;
  /** Subscribe, and never read the events. */
  readonly deaf: number;
  /** Subscribe and read. */
  readonly listening: number;
  /** Make calls. */
  readonly calling: number;
}

/** A thousand in all. */
export const THOUSAND: Crowd = { mute: 500, deaf: 20, listening: 4, calling: 476 };

/** Result of a run. */
export interface ThousandResult {
  readonly clients: number;
  /** Milliseconds from each command to its response, sorted. */
  readonly times: readonly number[];
  /** Number of wrong responses. */
  readonly wrong: number;
  /** Clients that were disconnected at `maxUnsent`. */
  readonly cut: number;
  /** Other errors that the server reported. */
  readonly errors: readonly unknown[];
  /** Clients still connected at the end. */
  readonly left: number;
  /** Events published, and how many of them each listening client got. */
  readonly published: number;
  readonly heard: readonly number[];
  /** Whether a mute client got a response to a call at the end. */
  readonly muteAnswered: boolean;
  /** Memory of the process in bytes: before the first client, with all of them, and the maximum. */
  readonly rss: { readonly before: number; readonly connected: number; readonly most: number };
}

/** `maxUnsent`: less than the default, so that a run is short. */
export const MAX_UNSENT = 256 * 1024;
const TOPIC = { publisher: "P", topic: "T" };
const EVENT_SIZE = 64 * 1024;
/** More than any kernel buffers for a client. */
const MOST_EVENTS = 2_000;
/** Fewer than the shortest queue of a listener. */
const AT_ONCE = 50;

/** Throws, with what to do, if the process may not open enough files. */
export async function checkOpenFiles(needed: number): Promise<void> {
  const most = await openFilesLimit();
  if (most >= needed) return;
  throw new Error(
    `Cannot hold ${needed} sockets as the limit of open files is ${most}: ` +
      `run 'ulimit -n ${needed}' in the shell first`,
  );
}

async function openFilesLimit(): Promise<number> {
  // The limit of this process, which may have raised it.
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (soft !== undefined) return soft === "unlimited" ? Infinity : Number(soft);
  if (process.platform === "win32") return Infinity;
  const text = (await run(["sh", "-c", "ulimit -n"])).stdout.trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** Runs the scenario; each calling client makes `calls` calls, one after the other. */
export async function runThousand(
  { connector, listen }: { connector: Connector; listen: Listen },
  crowd: Crowd,
  calls: number,
): Promise<ThousandResult> {
  const clients = crowd.mute + crowd.deaf + crowd.listening + crowd.calling;
  await checkOpenFiles(2 * clients + 100);
  const errors: unknown[] = [];
  const server = new RcspServer({
    maxUnsent: MAX_UNSENT,
    onError: (error) => void errors.push(error),
  });
  server.handle("Echo", ({ Arguments }) => Arguments);
  const address = await server.serve(listen);
  const all: RawClient[] = [];
  const before = process.memoryUsage().rss;
  try {
    while (all.length < clients) {
      const more = Math.min(AT_ONCE, clients - all.length);
      const sockets = await Promise.all(
        Array.from({ length: more }, () => connector(address)),
      );
      all.push(...sockets.map((socket) => new RawClient(socket)));
    }
    const rest = [...all];
    const [mute, deaf, listening, calling] = [
      rest.splice(0, crowd.mute),
      rest.splice(0, crowd.deaf),
      rest.splice(0, crowd.listening),
      rest,
    ];
    for (const client of [...deaf, ...listening]) {
      await client.ask("Subscribe", { Publisher: "P", Topic: "T" });
    }
    const connected = process.memoryUsage().rss;
    const cut = (): number =>
      errors.filter((error) => error instanceof LimitError && error.limit === "maxUnsent").length;
    const publishing = publishUntil(server, listening, () => cut() === crowd.deaf);
    const times = (await Promise.all(calling.map((client) => callMany(client, calls)))).flat();
    const { published, heard, most } = await publishing;
    const answer = await mute[0]?.ask("Echo", { Late: true });
    return {
      clients,
      times: times.filter((time) => time >= 0).sort((one, other) => one - other),
      wrong: times.filter((time) => time < 0).length,
      cut: cut(),
      errors: errors.filter((error) => !(error instanceof LimitError)),
      left: server.clients,
      published,
      heard,
      muteAnswered: answer?.body.Response?.["Late"] === true,
      rss: { before, connected, most: Math.max(most, process.memoryUsage().rss) },
    };
  } finally {
    await Promise.all(all.map((client) => client.close()));
    await server.close();
  }
}

/** Publishes as fast as the subscribed clients read, until enough is published. */
async function publishUntil(
  server: RcspServer,
  listening: readonly RawClient[],
  enough: () => boolean,
): Promise<{ published: number; heard: number[]; most: number }> {
  const data = { Text: "x".repeat(EVENT_SIZE) };
  const heard = listening.map(() => 0);
  let published = 0;
  let most = 0;
  while (!enough() && published < MOST_EVENTS) {
    server.publish({ ...TOPIC, data });
    published++;
    await Promise.all(listening.map(async (client, i) => {
      const { body } = await client.receive();
      if (body["Topic"] === TOPIC.topic) heard[i]!++;
    }));
    most = Math.max(most, process.memoryUsage().rss);
  }
  return { published, heard, most };
}

/** The time of each call in milliseconds; -1 for a wrong response. */
async function callMany(client: RawClient, calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    const { body } = await client.ask("Echo", { Call: i });
    const right = body.TrackId === String(i + 1) && body.Response?.["Call"] === i;
    times.push(right ? performance.now() - start : -1);
  }
  return times;
}
