/**
 * Plays the motion of a recording back, frame by frame as it was on the wire. Each client gets all of
 * it from its start on, with the times between; one that reads slowly is sent it later, not less.
 *
 * @module
 */

import type { Socket } from "@rcsp/rcsp";
import { MotionPrefix } from "@rcsp/rcsp/motion";
import { UsageError } from "../exit_codes.ts";
import type { Clock } from "../process/io.ts";
import type { McapItem, McapReader } from "./mcap_reader.ts";
import {
  DEFINITION_TOPIC,
  DISCONNECT_TOPIC,
  lostChannel,
  type MotionStreamName,
} from "./mcap_schemas.ts";
import { wholeFrame } from "./motion_track.ts";
import { Pacer } from "./pacer.ts";

/** Frames after which everything else gets its turn, whatever the speed. */
const TURN = 64;

/** What is played, and how. Times are milliseconds since the start of the recording. */
export interface MotionPlay {
  readonly clock: Clock;
  /** Opens the file, which is read from its start. */
  readonly open: () => Promise<McapReader>;
  readonly stream: MotionStreamName;
  /** The time of the first message, in nanoseconds since 1970. */
  readonly start: bigint;
  readonly from: number;
  readonly to: number;
  /** As in `ReplayOptions`. */
  readonly speed: number;
  readonly loop: boolean;
  /** Called if the file cannot be read any more. */
  readonly talk: (text: string) => void;
}

/** Plays to a client until it leaves. Never rejects. */
export async function playMotion(play: MotionPlay, socket: Socket): Promise<void> {
  const pacer = new Pacer(play.clock, socket);
  const left = untilEnd(socket);
  try {
    const { from, to, speed, loop } = play;
    const began = play.clock.now();
    for (let round = 0; round === 0 || loop; round++) {
      const due = (time: number): number => began + (time - from + round * (to - from)) / speed;
      if (!await playOnce(play, socket, pacer, due)) return;
      if (loop && !await pacer.until(Math.max(due(to), play.clock.now() + 1))) return;
    }
    await left;
  } catch (error) {
    // Where the client has gone there is nobody to tell.
    if (error instanceof UsageError) play.talk(error.message);
  } finally {
    socket.close();
    await left;
  }
}

/** Returns whether the client is still there. */
async function playOnce(
  { clock, open, stream, start, from, to }: MotionPlay,
  socket: Socket,
  pacer: Pacer,
  due: (time: number) => number,
): Promise<boolean> {
  /** The newest definition of each device before the first frame that is played. */
  const before = new Map<string, Uint8Array>();
  let count = 0;
  for await (const item of (await open()).items()) {
    if (isLoss(item, stream)) before.clear();
    const frame = motionFrame(item, stream);
    if (frame === undefined) continue;
    const { topic, logTime } = frame;
    // A message may be earlier than the first of the file.
    const time = Math.max(Number(logTime - start) / 1e6, 0);
    if (time > to) break;
    if (time < from) {
      keep(before, topic, frame.bytes);
      continue;
    }
    for (const definition of before.values()) await socket.write(definition);
    before.clear();
    const turn = ++count % TURN === 0 ? clock.now() + 1 : 0;
    if (!await pacer.until(Math.max(due(time), turn))) return false;
    await socket.write(frame.bytes);
  }
  for (const definition of before.values()) await socket.write(definition);
  return true;
}

/** A frame of a motion stream among what a file consists of. */
export function motionFrame(
  item: McapItem,
  stream: MotionStreamName,
): { topic: string; logTime: bigint; bytes: Uint8Array } | undefined {
  if (item.type !== "Message" || streamOf(item.channel.topic) !== stream) return undefined;
  const { channel: { topic }, logTime, data } = item;
  const isDefinition = topic.endsWith(`/${DEFINITION_TOPIC}`);
  return { topic, logTime, bytes: isDefinition ? wholeFrame(MotionPrefix.Definition, data) : data };
}

/** Whether the connection of a motion stream was lost here. */
export function isLoss(item: McapItem, stream: MotionStreamName): boolean {
  return item.type === "Message" && item.channel.topic === lostChannel(stream).topic;
}

/** Which motion stream a topic is of, if it is of one. */
export function streamOf(topic: string): MotionStreamName | undefined {
  if (!topic.startsWith("/rgmp/")) return undefined;
  return topic.startsWith("/rgmp/raw/") ? "raw" : "hands";
}

function keep(definitions: Map<string, Uint8Array>, topic: string, bytes: Uint8Array): void {
  const [device, what] = [topic.slice(0, topic.lastIndexOf("/")), topic.split("/").at(-1)];
  if (what === DEFINITION_TOPIC) definitions.set(device, bytes);
  if (what === DISCONNECT_TOPIC) definitions.delete(device);
}

/** A client of a motion stream sends nothing; what it sends all the same is not looked at. */
async function untilEnd(socket: Socket): Promise<void> {
  try {
    while (await socket.read() !== null);
  } catch {
    // It has gone in another way.
  }
  socket.close();
}
