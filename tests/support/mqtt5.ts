/** A broker packet by packet, also of MQTT 5, which `aedes` lacks. */

import type { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
import { type Packet, parser, writeToStream } from "mqtt-packet";
import { until } from "./wait.ts";

type Publish = Extract<Packet, { cmd: "publish" }>;
type Subscribe = Extract<Packet, { cmd: "subscribe" }>;
type Connect = Extract<Packet, { cmd: "connect" }>;

/** The broker as one client sees it. */
export interface Broker5 {
  readonly url: string;
  readonly connects: Connect[];
  readonly subscribes: Subscribe[];
  /** What was published so far. */
  readonly published: Publish[];
  /** Most messages that waited for their acknowledgement at the same time. */
  readonly mostInFlight: number;
  /** The reason with which the messages of a topic are acknowledged; 0 otherwise. */
  readonly reasons: Map<string, number>;
  /** Resolves when a topic has got so many messages. */
  untilPublished(topic: string, count: number): Promise<Publish[]>;
  /** Sends a message to the client. */
  send(topic: string, payload: string | Uint8Array, properties?: Publish["properties"]): void;
}

/**
 * Runs `use` with a broker. `receiveMaximum` is how many messages it takes at a time; `maximumPacketSize`
 * in bytes; one of version 4, which is MQTT 3.1.1, refuses MQTT 5.
 */
export async function withBroker5(
  use: (broker: Broker5) => Promise<void>,
  options: { receiveMaximum?: number; maximumPacketSize?: number; version?: 4 | 5 } = {},
): Promise<void> {
  const { receiveMaximum = 20, maximumPacketSize = 1_000_000, version = 5 } = options;
  const format = { protocolVersion: version };
  const sockets = new Set<Socket>();
  const [connects, subscribes, published]: [Connect[], Subscribe[], Publish[]] = [[], [], []];
  const reasons = new Map<string, number>();
  let [inFlight, mostInFlight] = [0, 0];
  const onPacket = (socket: Socket, packet: Packet): void => {
    const reply = (answer: unknown): void => {
      writeToStream(answer as Packet, socket, format);
    };
    switch (packet.cmd) {
      case "connect":
        connects.push(packet);
        if (packet.protocolVersion !== version) {
          reply({ cmd: "connack", sessionPresent: false, returnCode: 1 });
          return void socket.end();
        }
        return reply({
          cmd: "connack",
          sessionPresent: false,
          reasonCode: 0,
          returnCode: 0,
          properties: { receiveMaximum, maximumPacketSize },
        });
      case "subscribe":
        subscribes.push(packet);
        return reply({
          cmd: "suback",
          messageId: packet.messageId,
          granted: packet.subscriptions.map(() => 1),
        });
      case "publish": {
        published.push(packet);
        const reasonCode = reasons.get(packet.topic) ?? 0;
        if (packet.qos === 0) return;
        mostInFlight = Math.max(mostInFlight, ++inFlight);
        // In a later turn, so that messages can pile up.
        setTimeout(() => {
          inFlight--;
          if (!socket.destroyed) {
            reply({ cmd: "puback", messageId: packet.messageId, reasonCode });
          }
        }, 1);
        return;
      }
      case "pingreq":
        return reply({ cmd: "pingresp" });
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    const packets = parser();
    packets.on("packet", (packet: Packet) => onPacket(socket, packet));
    socket.on("data", (data) => void packets.parse(data as Buffer));
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const of = (topic: string): Publish[] => published.filter((packet) => packet.topic === topic);
  try {
    await use({
      url: `mqtt://127.0.0.1:${port}`,
      connects,
      subscribes,
      published,
      get mostInFlight() {
        return mostInFlight;
      },
      reasons,
      async untilPublished(topic, count) {
        await until(() => of(topic).length >= count);
        return of(topic);
      },
      send(topic, payload, properties = {}) {
        const packet = { cmd: "publish", topic, payload, qos: 0, dup: false, retain: false };
        for (const socket of sockets) {
          writeToStream({ ...packet, properties } as Packet, socket, format);
        }
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await until(() => inFlight === 0);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
