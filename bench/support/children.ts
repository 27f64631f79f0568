/** The processes of the end-to-end bench, held on cores where that can be done. */

import { runtimeCommand, start, type StartedChild } from "../../tests/support/runtime.ts";
import type { Ports } from "../peers/clients.ts";
import type { Task } from "./drive.ts";

/** Which core each process may use; `undefined` where it may use all. */
export interface Cores {
  readonly server: number | undefined;
  readonly client: number | undefined;
}

const LIFE = 15 * 60_000;

/** Servers, the clients in JavaScript, and the one in Python if there is one. */
export class Children {
  /** The names of the ways that the client process knows. */
  readonly ways: readonly string[];
  readonly #ports: Ports;
  readonly #server: StartedChild;
  readonly #client: StartedChild;
  readonly #python: StartedChild | undefined;

  /** Children are made by `startChildren()`. */
  constructor(
    ports: Ports,
    ways: readonly string[],
    [server, client, python]: [StartedChild, StartedChild, StartedChild | undefined],
  ) {
    this.#ports = ports;
    this.ways = ways;
    this.#server = server;
    this.#client = client;
    this.#python = python;
  }

  /** Has a client in JavaScript do its work; gives the seconds. */
  drive(task: Task): Promise<number> {
    return ask(this.#client, task);
  }

  /** Has the client in Python do its work; gives the seconds. */
  python(work: "sequential" | "events", server: keyof Ports, count: number): Promise<number> {
    return ask(this.#python!, { work, port: this.#ports[server], count });
  }

  /** Ends all. */
  async end(): Promise<void> {
    await Promise.all([this.#server, this.#client, this.#python].map((child) => child?.end()));
  }
}

/** Starts the processes. */
export async function startChildren(cores: Cores, python: boolean): Promise<Children> {
  const options = { timeout: LIFE };
  const server = start(held(cores.server, runtimeCommand(path("./serve.ts"))), options);
  const ports: Ports = JSON.parse(await server.nextLine());
  const client = start(held(cores.client, runtimeCommand(path("./drive.ts"))), options);
  client.write(`${JSON.stringify(ports)}\n`);
  const { ways } = JSON.parse(await client.nextLine());
  const pythonClient = python
    ? start(held(cores.client, ["python3", path("../peers/client.py")]), options)
    : undefined;
  return new Children(ports, ways, [server, client, pythonClient]);
}

function held(core: number | undefined, command: string[]): string[] {
  return core === undefined ? command : ["taskset", "-c", String(core), ...command];
}

function path(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

async function ask(child: StartedChild, task: object): Promise<number> {
  child.write(`${JSON.stringify(task)}\n`);
  return JSON.parse(await child.nextLine()).seconds;
}
