/** A broker for tests on a port of the system's choice, with a reader that keeps all it got. */

import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import { main } from "../../cli/main.ts";
import { type TestIo, testIo, type TestIoOptions } from "./cli_io.ts";
import { until } from "./wait.ts";

/** A message that the reader got. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly retained: boolean;
}

/** A broker of version 3.1.1 that can go away and come back, empty. */
export interface TestBroker {
  readonly url: string;
  /** The engine, to refuse things. */
  readonly aedes: Aedes;
  /** Cuts all connections and stops listening. */
  stop(): Promise<void>;
  /** Listens again at the same port, with nothing kept; lets `rcsp` in once `ready` has resolved. */
  start(ready?: Promise<unknown>): Promise<void>;
  /** Cuts the connections of one client, by the start of its id, without a goodbye. */
  cut(clientId: string): void;
  /** A client of its own. */
  connect(): Promise<TestReader>;
}

/** A client that reads. */
export interface TestReader {
  readonly client: MqttClient;
  readonly received: Received[];
  /** The texts of a topic so far. */
  texts(topic: string): string[];
  /** Resolves when a topic has got so many messages. */
  untilTexts(topic: string, count: number): Promise<string[]>;
  publish(topic: string, payload: string | Uint8Array, retain?: boolean): Promise<void>;
}

/** Runs `use` with a broker, and leaves nothing open. */
export async function withBroker(use: (broker: TestBroker) => Promise<void>): Promise<void> {
  let aedes = await Aedes.createBroker();
  let server: Server;
  let port = 0;
  const sockets = new Set<Socket>();
  const clients: MqttClient[] = [];
  const start = async (ready?: Promise<unknown>): Promise<void> => {
    if (aedes.closed) aedes = await Aedes.createBroker();
    aedes.authenticate = (client, _user, _password, done) => {
      const accept = (): void => done(null, true);
      if (ready !== undefined && client.id.startsWith("rcsp-")) void ready.then(accept);
      else accept();
    };
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      aedes.handle(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    port = (server.address() as { port: number }).port;
  };
  const stop = async (): Promise<void> => {
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await stopped;
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  };
  const broker: TestBroker = {
    get url() {
      return `mqtt://127.0.0.1:${port}`;
    },
    get aedes() {
      return aedes;
    },
    start,
    stop,
    cut(clientId) {
      const clients = Object.values((aedes as unknown as { clients: object }).clients);
      for (const client of clients as { id: string; conn: Socket }[]) {
        if (client.id.startsWith(clientId)) client.conn.destroy();
      }
    },
    async connect() {
      const client = mqtt.connect(broker.url, { reconnectPeriod: 20, keepalive: 0 });
      clients.push(client);
      client.on("error", () => {});
      return await reader(client);
    },
  };
  await start();
  try {
    await use(broker);
  } finally {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    if (!aedes.closed) await stop();
  }
}

/** Subscribes a client to everything. */
export async function reader(client: MqttClient): Promise<TestReader> {
  const received: Received[] = [];
  client.on("message", (topic, payload, { retain }) => {
    received.push({ topic, text: payload.toString(), retained: retain });
  });
  await new Promise<void>((resolve) => client.once("connect", () => resolve()));
  await client.subscribeAsync("#", { qos: 1 });
  const texts = (wanted: string): string[] =>
    received.filter(({ topic }) => topic === wanted).map(({ text }) => text);
  return {
    client,
    received,
    texts,
    async untilTexts(topic, count) {
      await until(() => texts(topic).length >= count);
      return texts(topic);
    },
    async publish(topic, payload, retain = false) {
      await client.publishAsync(topic, payload as string, { qos: 1, retain });
    },
  };
}

/** Runs `rcsp mqtt` while `use` does something, then ends it with Ctrl-C; gives its exit code. */
export async function bridged(
  broker: { readonly url: string },
  options: TestIoOptions & { args?: string[] },
  use: (io: TestIo) => Promise<void>,
): Promise<number> {
  const { args = [], ...rest } = options;
  const io = testIo({ hostname: () => "stage", ...rest });
  const running = main(["mqtt", broker.url, ...args], io);
  try {
    await Promise.race([
      use(io),
      running.then((code) => {
        throw new Error(`Ended with ${code}: ${io.err}`);
      }),
    ]);
  } finally {
    io.interrupt();
  }
  return await running;
}
