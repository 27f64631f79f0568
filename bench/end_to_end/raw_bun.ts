/** `Bun.connect` and `Bun.listen`. */

import { Backlog, type OnBytes, type RawSocket, type RawSockets } from "./raw_socket.ts";

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
  binaryType: "uint8array";
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

/** Raw sockets on Bun. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawSocket> {
    const socket = handlers(() => onBytes);
    return wrap(await Bun.connect({ hostname: "127.0.0.1", port, socket }));
  },
  listen(onSocket): Promise<number> {
    const { port } = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: handlers(onSocket) });
    return Promise.resolve(port);
  },
};

function handlers(onSocket: (socket: RawSocket) => OnBytes): Handlers {
  return {
    binaryType: "uint8array",
    open(socket): void {
      socket.setNoDelay(true);
      socket.data = { backlog: new Backlog(), onBytes: () => {} };
      socket.data.onBytes = onSocket(wrap(socket));
    },
    data: (socket, bytes) => socket.data.onBytes(bytes),
    drain(socket): void {
      const { backlog } = socket.data;
      if (backlog.length > 0) backlog.drop(Math.max(0, socket.write(backlog.peek())));
    },
    error: () => {},
  };
}

function wrap(socket: BunSocket): RawSocket {
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
