/**
 * A server under a thousand clients on real sockets: half of them say nothing, some subscribe and never
 * read, and all the others want answers meanwhile.
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { LimitError } from "../../src/errors.ts";
import { RcspServer } from "../../src/server/server.ts";
import type { Connector, Listen } from "../../src/socket/socket.ts";
import { RawClient } from "./raw_client.ts";
import { run } from "./runtime.ts";

/** How many clients do what. */
export interface Crowd {
  /** They connect, and neither send nor read. */
  readonly mute: number;
  /** They subscribe, and never read the events. */
  readonly deaf: number;
  /** They subscribe and read. */
  readonly listening: number;
  /** They call. */
  readonly calling: number;
}

/** A thousand in all. */
export const THOUSAND: Crowd = { mute: 500, deaf: 20, listening: 4, calling: 476 };

/** What a run came to. */
export interface ThousandResult {
  readonly clients: number;
  /** Milliseconds from each command to its answer, sorted. */
  readonly times: readonly number[];
  /** Answers that were not the right ones. */
  readonly wrong: number;
  /** Clients that were cut at `maxUnsent`. */
  readonly cut: number;
  /** Anything else that the server told of. */
  readonly errors: readonly unknown[];
  /** Who was left when all was done. */
  readonly left: number;
  /** Events published, and how many of them each listening client got. */
  readonly published: number;
  readonly heard: readonly number[];
  /** Whether a client that had been mute was answered in the end. */
  readonly muteAnswered: boolean;
  /** Bytes of the process: before the first client, with all of them, and the most of all. */
  readonly rss: { readonly before: number; readonly connected: number; readonly most: number };
}

/** Bytes that wait for one client before it is cut: less than the default, so that a run is short. */
export const MAX_UNSENT = 256 * 1024;
const TOPIC = { publisher: "P", topic: "T" };
const EVENT_SIZE = 64 * 1024;
/** More than the buffers of any system take for a client. */
const MOST_EVENTS = 2_000;
/** Fewer than the shortest queue of a listener. */
const AT_ONCE = 50;

/** Throws, with what to do, where a process may not open so many files. */
export async function checkOpenFiles(needed: number): Promise<void> {
  const most = await openFilesLimit();
  if (most >= needed) return;
  throw new Error(
    `Cannot hold ${needed} sockets as the limit of open files is ${most}: ` +
      `run 'ulimit -n ${needed}' in the shell first`,
  );
}

async function openFilesLimit(): Promise<number> {
  // Of this process, which may have raised its own.
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

/** Publishes as quickly as the listening clients read, until it is enough. */
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

/** The time of each call in milliseconds; a wrong answer counts as -1. */
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
