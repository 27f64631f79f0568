/** `Bun.connect` and `Bun.listen`. */

import { Backlog, type OnBytes, type RawEnd, type RawSockets } from "./raw.ts";

interface BunSocket {
  data: State;
  write(bytes: Uint8Array): number;
  end(): void;
  setNoDelay(on: boolean): boolean;
}

interface State {
  readonly backlog: Backlog;
  onBytes: OnBytes;
}

interface Handlers {
  open(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  drain(socket: BunSocket): void;
  error(): void;
}

interface Options {
  hostname: string;
  port: number;
  socket: Handlers;
}

const { Bun } = globalThis as unknown as {
  Bun: {
    connect(options: Options): Promise<BunSocket>;
    listen(options: Options): { readonly port: number };
  };
};

/** See the file's own text. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawEnd> {
    const socket = handlers(() => onBytes);
    return endOf(await Bun.connect({ hostname: "127.0.0.1", port, socket }));
  },
  listen(onEnd): Promise<number> {
    const { port } = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: handlers(onEnd) });
    return Promise.resolve(port);
  },
};

function handlers(onEnd: (end: RawEnd) => OnBytes): Handlers {
  return {
    open(socket): void {
      socket.setNoDelay(true);
      socket.data = { backlog: new Backlog(), onBytes: () => {} };
      socket.data.onBytes = onEnd(endOf(socket));
    },
    data: (socket, bytes) => socket.data.onBytes(bytes),
    drain(socket): void {
      const { backlog } = socket.data;
      if (backlog.length > 0) backlog.drop(Math.max(0, socket.write(backlog.peek())));
    },
    error: () => {},
  };
}

function endOf(socket: BunSocket): RawEnd {
  return {
    write(bytes): void {
      const { backlog } = socket.data;
      if (backlog.length > 0) return backlog.add(bytes);
      const sent = Math.max(0, socket.write(bytes));
      if (sent < bytes.length) backlog.add(bytes.subarray(sent));
    },
    close: () => socket.end(),
  };
}
