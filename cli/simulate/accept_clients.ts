/**
 * What the commands that listen have in common.
 *
 * @module
 */

import type { Address } from "@rcsp/rcsp";
import { formatAddress, type Listen, listen, type ListenOptions } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { hostFlag, integerFlag } from "../command_line/flags.ts";
import type { Flag } from "../command_line/parse.ts";
import { EXIT, Failure } from "../exit_codes.ts";
import { writeLine } from "../terminal/output.ts";

/** Lines that may wait to be written; more are left out. */
const WAITING = 100;
/** Most characters of a line that are shown. */
const SHOWN = 200;

/** The address to listen on. */
export function listenFlags(defaultPort: number): readonly Flag[] {
  return [
    integerFlag("--port NUMBER", "where to listen; 0 takes any free port", {
      default: `${defaultPort}`,
      range: [0, 65_535],
    }),
    hostFlag("--host NAME", "the address to listen on; 0.0.0.0 lets other machines in", {
      default: "127.0.0.1",
    }),
  ];
}

/** What a command listens with: the runtime's adapter, where a test does not bring another. */
export function listenWith(context: Context, announce?: (text: string) => void): Listen {
  const listenThere = context.io.listen ?? listen;
  let clients = 0;
  return async (options, onSocket, onError) => {
    const accept: typeof onSocket = (socket) => {
      const number = ++clients;
      announce?.(`Client ${number} connected from ${socket.remote}`);
      socket.closed.then(() => announce?.(`Client ${number} disconnected`));
      onSocket(socket);
    };
    try {
      return await listenThere(options, accept, onError);
    } catch (cause) {
      throw listenFailure(cause as Error, options);
    }
  };
}

/** In words for those who listen: what helps a client does not help them. */
function listenFailure(cause: Error, { host = "127.0.0.1", port = 0 }: ListenOptions): Failure {
  const { code } = cause.cause as { code?: unknown } ?? {};
  let reason: string | undefined;
  if (code === "EACCES") reason = "permission denied. Choose a port above 1023.";
  // Bun has no code for a name that it cannot find.
  else if (/host not found|Failed to listen/.test(cause.message)) {
    reason = "this machine has no such address";
  }
  const address = formatAddress({ host, port });
  const message = reason === undefined ? cause.message : `Cannot listen on ${address}: ${reason}`;
  return new Failure(message, EXIT.connection, { cause });
}

/** The address of the flags of `listenFlags()`. */
export function listenAddress({ line }: Context, defaultPort: number): Address {
  return { host: line.text("host") ?? "127.0.0.1", port: line.number("port") ?? defaultPort };
}

/** Whether only programs on this machine reach what listens there. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\])$/.test(host);
}

/** Resolves when the user wants to leave. */
export function untilLeave(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/**
 * Logs what nobody can hold back: where stderr is not read, lines are left out. `own` follows the text
 * as it is, not escaped.
 */
export function boundedLog({ io }: Context): (text: string, own?: string) => void {
  let waiting = 0;
  return (text, own = "") => {
    if (waiting >= WAITING) return;
    waiting++;
    const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    writeLine(io.stderr, shown, own).catch(() => {}).finally(() => waiting--);
  };
}
