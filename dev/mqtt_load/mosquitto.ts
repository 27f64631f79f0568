/** A mosquitto of our own, which keeps its sessions over a restart. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Milliseconds between two looks whether it listens. */
const LOOK = 20;

/** A broker that can be stopped and started. */
export class Mosquitto {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  /** Prepares a broker on a free port; see `start()`. */
  static async create(): Promise<Mosquitto> {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
    });
    const folder = await mkdtemp(join(tmpdir(), "rcsp-mqtt-"));
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${folder}/`,
      "autosave_interval 0",
      // For the reader, to which all goes.
      "max_inflight_messages 1000",
      "max_queued_messages 0",
      "log_type none",
      // It would become another user, who may not write to our folder.
      "user root",
    ];
    await writeFile(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    return new Mosquitto(port, folder);
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    this.#child = spawn("mosquitto", ["-c", join(this.#folder, "mosquitto.conf")], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    let failure: Error | undefined;
    this.#child.once("error", (error) => failure = error);
    while (!await this.#listens()) {
      if (failure !== undefined) throw failure;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  /** Resolves when it has ended; it saves its sessions. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true });
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1");
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }
}
