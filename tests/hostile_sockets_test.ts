/** Servers that misuse their sockets, on the network, for every client adapter of this runtime. */

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type AddressInfo, createServer, type Socket as NetSocket } from "node:net";
import { connect } from "../mod.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { ConnectionError, RcspError, TimeoutError } from "../src/errors.ts";
import { RcspServer } from "../src/server/server.ts";
import { networkAdapters } from "./support/adapters.ts";
import { frame } from "./support/frames.ts";
import { test } from "./support/test.ts";

/** A plain node:net server; all its sockets are closed when `use` has ended. */
async function withBare(
  serve: (socket: NetSocket) => void,
  use: (address: { host: string; port: number }) => Promise<void>,
): Promise<void> {
  const sockets = new Set<NetSocket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await use({ host: "127.0.0.1", port });
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}

const LONG = "x".repeat(8 * 1024 * 1024);
const ANSWER = frame(2, { TrackId: "1", Response: { Text: "x".repeat(100_000) } });

const MISUSES: {
  what: string;
  serve: (socket: NetSocket) => void;
  text?: string;
  /** How the call must end. */
  error: typeof ConnectionError | typeof TimeoutError;
}[] = [
  { what: "accepts, then closes", serve: (socket) => socket.destroy(), error: ConnectionError },
  {
    what: "accepts, then resets",
    serve: (socket) => socket.resetAndDestroy(),
    error: ConnectionError,
  },
  {
    what: "ends its half at once, and reads on",
    serve: (socket) => void socket.resume().end(),
    error: ConnectionError,
  },
  {
    what: "closes at the first byte",
    serve: (socket) => void socket.once("data", () => socket.destroy()),
    error: ConnectionError,
  },
  {
    what: "resets in the midst of an answer",
    serve: (socket) =>
      void socket.once("data", () => {
        socket.write(ANSWER.subarray(0, 50_000), () => socket.resetAndDestroy());
      }),
    error: ConnectionError,
  },
  {
    what: "resets in the midst of a long command",
    serve: (socket) => void socket.once("data", () => socket.resetAndDestroy()),
    text: LONG,
    error: ConnectionError,
  },
  {
    what: "accepts, reads and stays mute",
    serve: (socket) => void socket.resume(),
    error: TimeoutError,
  },
  { what: "never reads", serve: (socket) => void socket.pause(), text: LONG, error: TimeoutError },
];

for (const { name, connector } of networkAdapters) {
  const join = (address: object, options: ConnectOptions = {}): Promise<RcspClient> =>
    connect({ connector, ...address, ...options });

  for (const { what, serve, text = "", error } of MISUSES) {
    test(`${name}: with a server that ${what} all calls settle, and close() resolves`, () =>
      withBare(serve, async (address) => {
        const joining = join(address, {
          // The connection may take time to end.
          commandTimeout: error === TimeoutError ? 300 : 60_000,
          reconnect: false,
        });
        // A reset may come before the socket is open.
        const rcsp = await joining.catch((reason) => assertInstanceOf(reason, ConnectionError));
        if (rcsp === undefined) return assertStrictEquals(error, ConnectionError);
        const calls = await Promise.allSettled([rcsp.call("A", { text }), rcsp.call("B")]);
        for (const call of calls) {
          assert(call.status === "rejected");
          assert(call.reason instanceof error, `${call.reason}`);
        }
        if (error === ConnectionError) assertInstanceOf(await rcsp.closed, ConnectionError);
        else assertStrictEquals(rcsp.status.state, "ready");
        await rcsp.close();
      }));
  }

  test(`${name}: commands of every size around buffer sizes are sent concurrently and arrive complete`, async () => {
    const server = new RcspServer();
    server.handle("Echo", ({ Arguments }) => Arguments);
    const address = await server.serve(networkAdapters[0]!.listen);
    const rcsp = await join(address, { reconnect: false });
    const around = [12, 13, 14, 16, 17, 18, 20].flatMap((power) =>
      [-60, -57, -1, 0, 1].map((more) => 2 ** power + more)
    );
    const sizes = [...Array(300).keys(), ...around];
    // Concurrent calls fill every buffer, so that writes are partial.
    const echoes = await Promise.all(
      sizes.map((size) => rcsp.call("Echo", { text: "x".repeat(size) })),
    );
    assertEquals(echoes.map(({ text }) => String(text).length), sizes);
    await rcsp.close();
    await server.close();
  });

  test(`${name}: a client reconnects to a server that flaps 200 times, and gets every event`, async () => {
    const server = new RcspServer();
    server.handle("Echo", ({ Arguments }) => Arguments);
    const { listen } = networkAdapters[0]!;
    let accepted = 0;
    const address = await server.serve((options, onSocket) =>
      listen(options, (socket) => ++accepted > 200 ? onSocket(socket) : socket.close())
    );
    const rcsp = await join(address, { reconnect: { initialDelay: 1, maxDelay: 2 } });
    const events = rcsp.events();
    const outcomes = { answered: 0, ended: 0 };
    for (let n = 0; outcomes.answered < 3; n++) {
      await rcsp.call("Echo", { n }).then((answer) => {
        assertEquals(answer, { n });
        outcomes.answered++;
      }, (error) => {
        assertInstanceOf(error, RcspError);
        outcomes.ended++;
      });
    }
    await rcsp.subscribe({ publisher: "P", topic: "T" }).ready;
    assert(accepted > 200, `${accepted} connections`);
    assert(events.gaps >= 100, `${events.gaps} gaps`);
    assertStrictEquals(server.publish({ publisher: "P", topic: "T" }), 1);
    assertStrictEquals((await events.next()).value?.topic, "T");
    await rcsp.close();
    await server.close();
  });

  test(`${name}: a server that restarts between two commands responds to both`, async () => {
    const { listen } = networkAdapters[0]!;
    const start = async (port: number): Promise<[RcspServer, number]> => {
      const server = new RcspServer();
      server.handle("Port", () => ({ port }));
      const address = await server.serve(listen, { port });
      return [server, address.port];
    };
    const [first, port] = await start(0);
    const rcsp = await join({ host: "127.0.0.1", port }, { reconnect: { initialDelay: 1 } });
    assertEquals(await rcsp.call("Port"), { port: 0 });
    const states = rcsp.statuses();
    await first.close();
    for await (const { state } of states) if (state === "reconnecting") break;
    const call = rcsp.call("Port");
    const [second] = await start(port);
    assertEquals(await call, { port });
    await rcsp.close();
    await second.close();
  });
}
