/**
 * What the commands that listen have in common.
 *
 * @module
 */

import type { Address } from "@rcsp/rcsp";
import { type Listen, listen } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import type { Flag } from "../command_line/parse.ts";

/** Lines of talk that wait to be read; beyond, lines are left out. */
const TALK = 100;

/** The address to listen on. */
export function listenFlags(defaultPort: number): readonly Flag[] {
  return [
    {
      name: "port",
      kind: "integer",
      value: "NUMBER",
      about: "where to listen; 0 takes any free port",
      default: `${defaultPort}`,
      range: [0, 65_535],
    },
    {
      name: "host",
      kind: "text",
      value: "NAME",
      about: "the address to listen on; 0.0.0.0 lets other machines in",
      default: "127.0.0.1",
    },
  ];
}

/** What a command listens with: the runtime's adapter, where a test does not bring another. */
export function listenWith(context: Context, announce?: (text: string) => void): Listen {
  const listenThere = context.io.listen ?? listen;
  if (announce === undefined) return listenThere;
  let clients = 0;
  return (address, onSocket, onError) =>
    listenThere(address, (socket) => {
      const number = ++clients;
      announce(`Client ${number} has come from ${socket.remote}`);
      socket.closed.then(() => announce(`Client ${number} has left`));
      onSocket(socket);
    }, onError);
}

/** The address of the flags of `listenFlags()`. */
export function listenAddress({ line }: Context, defaultPort: number): Address {
  return { host: line.text("host") ?? "127.0.0.1", port: line.number("port") ?? defaultPort };
}

/** Resolves when the user wants to leave. */
export function untilLeave(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Talk of events that nobody can hold back: where it is not read, lines are left out. */
export function boundedLog(context: Context): (text: string) => void {
  let waiting = 0;
  return (text) => {
    if (waiting >= TALK) return;
    waiting++;
    context.log(text).finally(() => waiting--);
  };
}
