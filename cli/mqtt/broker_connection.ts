/**
 * One connection to a broker: a session of its own, that keeps nothing for the next one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type {
  IClientOptions,
  IClientPublishOptions,
  IConnackPacket,
  IPublishPacket,
  ISubscriptionMap,
  MqttClient,
} from "mqtt";
import type { BrokerAddress } from "./broker_url.ts";

/** A message from the broker; if it is retained it may be old. */
export type BrokerMessage = Omit<IPublishPacket, "payload"> & { readonly payload: Uint8Array };

/** How to connect. */
export interface ConnectionOptions {
  readonly address: BrokerAddress;
  readonly clientId: string;
  readonly will: { readonly topic: string; readonly payload: string };
  /** Ends the attempt to connect, not the connection. */
  readonly signal: AbortSignal;
  readonly onMessage: (message: BrokerMessage) => void;
}

/** MQTT 5, or 3.1.1 for brokers that are older. */
export type MqttVersion = 5 | 4;

/** Milliseconds until the broker must have let us in. */
const CONNECT_TIMEOUT = 10_000;
/** Seconds without traffic until the broker is asked whether it is there. */
const KEEP_ALIVE = 15;
/** Bytes of a packet that an MQTT 5 broker may send us. */
const LONGEST_PACKET = 128 * 1024;
/** Most bytes of a packet besides topic, payload and correlation data. */
const PACKET_OVERHEAD = 32;
/** MQTT 5's reason: packet too large. */
const TOO_LONG = 149;
/** Most messages that wait for an acknowledgement. */
const MOST_IN_FLIGHT = 64;
/** Milliseconds to say goodbye. */
const GOODBYE = 300;

/** The broker speaks only older versions of MQTT; or does not say, and closes. */
export class VersionRefused extends Error {}

/** A connection that the broker has accepted. */
export class BrokerConnection {
  /** How many messages may wait for an acknowledgement. */
  readonly window: number;
  /** Resolves when it has ended, with the reason. */
  readonly closed: Promise<unknown>;
  readonly #client: MqttClient;
  /** In bytes. */
  readonly #longestPacket: number;

  /** Made by `openConnection()`. */
  constructor(
    client: MqttClient,
    { properties }: IConnackPacket,
    closed: Promise<unknown>,
  ) {
    this.#client = client;
    this.window = Math.min(properties?.receiveMaximum ?? MOST_IN_FLIGHT, MOST_IN_FLIGHT);
    this.#longestPacket = properties?.maximumPacketSize ?? Infinity;
    this.closed = closed;
  }

  /** Publishes; resolves when the broker has acknowledged it, or a QoS 0 message is written. */
  async publish(topic: string, payload: string, options: IClientPublishOptions): Promise<void> {
    const length = Buffer.byteLength(topic) + Buffer.byteLength(payload) + PACKET_OVERHEAD +
      (options.properties?.correlationData?.length ?? 0);
    if (length > this.#longestPacket) {
      // The broker would end the connection.
      const message = `longer than its ${this.#longestPacket} bytes`;
      throw Object.assign(new Error(message), { code: TOO_LONG });
    }
    await this.#client.publishAsync(topic, payload, options);
  }

  /** Subscribes; resolves to the filters that the broker refuses. */
  subscribe(filters: ISubscriptionMap): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.subscribe(filters, (error, granted) => {
        const refused = granted?.filter(({ qos }) => qos >= 128).map(({ topic }) => topic);
        if (error !== null && !refused?.length) return reject(error);
        resolve(refused ?? []);
      });
    });
  }

  /** Says goodbye, so that the broker does not publish the last will, and closes. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#client.end(true), GOODBYE);
    this.#client.end(false);
    await this.closed;
    clearTimeout(timer);
  }
}

/**
 * Connects with one version of MQTT. Rejects with a {@link VersionRefused} if the broker has only older
 * ones, or with the reason.
 */
export async function openConnection(
  options: ConnectionOptions,
  version: MqttVersion,
): Promise<BrokerConnection> {
  const { address, clientId, will, signal, onMessage } = options;
  // Only who uses it waits for it.
  const { connect } = (await import("mqtt")).default;
  signal.throwIfAborted();
  const settings: IClientOptions = {
    ...address,
    clientId,
    protocolVersion: version,
    keepalive: KEEP_ALIVE,
    connectTimeout: CONNECT_TIMEOUT,
    clean: true,
    // What is to be sent again is decided here, not there.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    ...(version === 5 && { properties: { maximumPacketSize: LONGEST_PACKET } }),
  };
  const client = connect(settings);
  let reason: unknown;
  let isOpen = false;
  const onAbort = (): void => void client.end(true);
  signal.addEventListener("abort", onAbort);
  const closed = new Promise<unknown>((resolve) => {
    const onClose = (): void => {
      signal.removeEventListener("abort", onAbort);
      client.end(true);
      resolve(reason ?? new Error("it closed the connection"));
    };
    client.once("close", onClose);
    client.once("end", onClose);
  });
  client.on("error", (error) => void (reason ??= error));
  client.on("disconnect", ({ reasonCode }) => {
    reason ??= Object.assign(new Error(`it closed the connection (reason ${reasonCode})`), {
      code: reasonCode,
    });
  });
  client.on("message", (_topic, payload, packet) => onMessage({ ...packet, payload }));
  return await new Promise((resolve, reject) => {
    client.once("connect", (connack) => {
      isOpen = true;
      signal.removeEventListener("abort", onAbort);
      resolve(new BrokerConnection(client, connack, closed));
    });
    void closed.then((cause) => {
      if (isOpen) return;
      const { code } = cause as { code?: unknown };
      const isOld = code === 1 || code === 132 || reason === undefined;
      reject(version === 5 && isOld && !signal.aborted ? new VersionRefused() : cause);
    });
  });
}
