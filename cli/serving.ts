/**
 * What the commands that listen have in common.
 *
 * @module
 */

import { listen } from "../adapters/runtime.ts";
import type { Address, Listener, Socket } from "../src/socket.ts";
import type { Context } from "./command.ts";
import type { Flag } from "./options.ts";

/** Lines of talk that wait to be read; beyond, lines are left out. */
const TALK = 100;

/** The address to listen on. */
export function listenFlags(defaultPort: number): readonly Flag[] {
  return [
    {
      name: "port",
      kind: "whole",
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

/** Starts to listen; the listener is closed after the command. */
export async function openListener(context: Context, address: Address): Promise<Listener> {
  const listener = await (context.io.listen ?? listen)(address);
  context.defer(() => listener.close());
  return listener;
}

/** Resolves when the user wants to leave. */
export function untilLeave(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Talk of events that nobody can hold back: where it is not read, lines are left out. */
export function talker(context: Context): (text: string) => void {
  let waiting = 0;
  return (text) => {
    if (waiting >= TALK) return;
    waiting++;
    context.tell(text).finally(() => waiting--);
  };
}

/** The same listener, with a line of talk for each client that comes and goes. */
export function announced(listener: Listener, talk: (text: string) => void): Listener {
  let clients = 0;
  const announce = (socket: Socket): Socket => {
    const number = ++clients;
    talk(`Client ${number} has come from ${socket.remote}`);
    socket.closed.then(() => talk(`Client ${number} has left`));
    return socket;
  };
  return {
    address: listener.address,
    close: () => listener.close(),
    accept: async () => {
      const socket = await listener.accept();
      return socket && announce(socket);
    },
  };
}
