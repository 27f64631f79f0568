/** MCAP files as `@mcap/core`'s own readers see them, and hands to record. */

import { assertEquals } from "@std/assert";
import { McapIndexedReader, McapStreamReader, type McapTypes } from "@mcap/core";
import type { TestIo } from "./cli_io.ts";
import { until } from "./wait.ts";
import { SimulatedHand } from "../../src/motion/simulated_hand.ts";
import { MotionServer } from "../../src/motion/motion_server.ts";
import type { Listen } from "../../src/socket/socket.ts";

/** A message with its channel. */
export interface McapMessage {
  readonly topic: string;
  readonly channel: McapTypes.Channel;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** All that a file holds. */
export interface McapContents {
  readonly messages: McapMessage[];
  readonly schemas: McapTypes.Schema[];
  readonly metadata: McapTypes.Metadata[];
  readonly attachments: McapTypes.Attachment[];
}

/** The bytes of a file that was written. */
export function fileBytes(io: TestIo, name: string): Uint8Array {
  const content = io.files.get(name);
  return typeof content === "string" ? new TextEncoder().encode(content) : content!;
}

/** Reads a complete file by its index. */
export async function readIndexed(bytes: Uint8Array): Promise<McapContents> {
  const reader = await McapIndexedReader.Initialize({
    readable: {
      size: () => Promise.resolve(BigInt(bytes.length)),
      read: (offset, size) =>
        Promise.resolve(bytes.slice(Number(offset), Number(offset) + Number(size))),
    },
  });
  const messages: McapMessage[] = [];
  for await (const { channelId, logTime, publishTime, data } of reader.readMessages()) {
    const channel = reader.channelsById.get(channelId)!;
    messages.push({ topic: channel.topic, channel, logTime, publishTime, data });
  }
  assertEquals(reader.statistics!.messageCount, BigInt(messages.length));
  return {
    messages,
    schemas: [...reader.schemasById.values()],
    metadata: await Array.fromAsync(reader.readMetadata()),
    attachments: await Array.fromAsync(reader.readAttachments()),
  };
}

/** Reads what there is of a file from its start, as after a crash. */
export function readStreamed(bytes: Uint8Array): McapMessage[] & { isComplete: boolean } {
  const reader = new McapStreamReader();
  const channels = new Map<number, McapTypes.Channel>();
  const messages: McapMessage[] = [];
  reader.append(bytes);
  for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) {
    if (record.type === "Channel") channels.set(record.id, record);
    if (record.type !== "Message") continue;
    const { channelId, logTime, publishTime, data } = record;
    const channel = channels.get(channelId)!;
    messages.push({
      topic: channel.topic,
      channel,
      logTime,
      publishTime,
      data: data.slice(),
    });
  }
  return Object.assign(messages, { isComplete: reader.done() });
}

/** Waits until a file that is being written has so many messages of each topic. */
export async function untilRecorded(
  io: TestIo,
  name: string,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  let size = 0;
  await until(() => {
    const bytes = fileBytes(io, name);
    // A chunk a second; there is no need to look more often.
    if (bytes.length === size) return false;
    size = bytes.length;
    const topics = byTopic(readStreamed(bytes));
    return Object.entries(counts).every(([topic, count]) => topics.get(topic)?.length === count);
  });
}

/** Messages by their topic. */
export function byTopic(messages: readonly McapMessage[]): Map<string, McapMessage[]> {
  return Map.groupBy(messages, ({ topic }) => topic);
}

/** The message as JSON. */
// deno-lint-ignore no-explicit-any -- looked at key by key
export function json({ data }: McapMessage): any {
  return JSON.parse(new TextDecoder().decode(data));
}

/** Two simulated hands that are served; `frames(time)` sends one of each group of each hand. */
export class ServedHands {
  readonly server = new MotionServer();
  readonly hands: SimulatedHand[] = (["left", "right"] as const).map((side, i) =>
    new SimulatedHand({ side, deviceId: i + 1 })
  );
  /** Every data frame that was sent. */
  readonly sent: Uint8Array[] = [];

  async serve(listen: Listen, port = 12277): Promise<void> {
    for (const { definition } of this.hands) this.server.define(definition);
    await this.server.serve(listen, { port });
  }

  send(time: number): void {
    for (const hand of this.hands) {
      for (const frame of hand.framesAt(time)) {
        this.sent.push(frame.slice());
        this.server.send(frame);
      }
    }
  }
}
