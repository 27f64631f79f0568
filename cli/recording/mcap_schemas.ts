/**
 * The channels of a recording, and the JSON Schemas of their messages. Those named `foxglove.…` have
 * the fields that viewers know by these names, so that a hand is drawn without a plug-in.
 *
 * @module
 */

import type { ChannelInfo, SchemaInfo } from "./mcap_encoder.ts";

/** The message encoding of the motion stream: whole frames as on the wire, header included. */
export const RGMP_ENCODING = "rgmp2";
/** The name of the metadata that says what the file is. */
export const METADATA_NAME = "rcsp";
/** The version of the layout of channels: the value of `format` in that metadata. */
export const MCAP_FORMAT = "1";

/** The last part of the topic of a definition. */
export const DEFINITION_TOPIC = "definition";
/** The last part of the topic of disconnects. */
export const DISCONNECT_TOPIC = "disconnect";

type Schema = Readonly<Record<string, unknown>>;

const encoder = new TextEncoder();

const number: Schema = { type: "number" };
const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const whole: Schema = { type: "integer" };
const time = object({ sec: whole, nsec: whole });
const point = object({ x: number, y: number, z: number });
const rotation = object({ x: number, y: number, z: number, w: number });
const pose = object({ position: point, orientation: rotation });
const color = object({ r: number, g: number, b: number, a: number });
const shapes = list({ type: "object" });
/** The kinds of shapes that we never draw. */
export const UNDRAWN: readonly string[] = [
  "arrows",
  "cubes",
  "cylinders",
  "triangles",
  "texts",
  "models",
];

function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", properties };
}

function list(items: Schema): Schema {
  return { type: "array", items };
}

function jsonSchema(name: string, schema: Schema): SchemaInfo {
  const data = encoder.encode(JSON.stringify({ title: name, ...schema }));
  return { name, encoding: "jsonschema", data };
}

const RCSP_FRAME = jsonSchema(
  "rcsp.Frame",
  object({
    direction: { enum: ["in", "out"] },
    connection: whole,
    type: { enum: ["command", "ok", "error", "event", "bytes", "cut"] },
    body: { type: "object" },
    text,
    hex: text,
    received: whole,
  }),
);

const PRESS = jsonSchema(
  "rcsp.ButtonPress",
  object({ press: text, device: {}, name: text, connection: whole }),
);

const DEFINITION = jsonSchema(
  "rgmp.Definition",
  object({ device_id: whole, device_type: text, static_data: shapes, groups: shapes }),
);

const LOST = jsonSchema("rcsp.ConnectionLost", object({ stream: text, reason: text }));

const HAND_JOINTS = jsonSchema(
  "rcsp.HandJoints",
  object({ device: whole, time, joints: list(list(number)) }),
);

const FRAME_TRANSFORMS = jsonSchema(
  "foxglove.FrameTransforms",
  object({
    transforms: list(object({
      timestamp: time,
      parent_frame_id: text,
      child_frame_id: text,
      translation: point,
      rotation,
    })),
  }),
);

const SCENE_UPDATE = jsonSchema(
  "foxglove.SceneUpdate",
  object({
    deletions: list(object({ timestamp: time, type: whole, id: text })),
    entities: list(object({
      timestamp: time,
      frame_id: text,
      id: text,
      lifetime: time,
      frame_locked: flag,
      metadata: list(object({ key: text, value: text })),
      spheres: list(object({ pose, size: point, color })),
      lines: list(object({
        type: whole,
        pose,
        thickness: number,
        scale_invariant: flag,
        points: list(point),
        color,
        colors: list(color),
        indices: list(whole),
      })),
      ...Object.fromEntries(UNDRAWN.map((shape) => [shape, shapes])),
    })),
  }),
);

/** One direction of RCSP, as the client sees it. */
export function rcspChannel(direction: "in" | "out"): ChannelInfo {
  return { topic: `/rcsp/${direction}`, messageEncoding: "json", schema: RCSP_FRAME };
}

/** Presses of buttons, with the names of their devices. */
export const PRESS_CHANNEL: ChannelInfo = {
  topic: "/rcsp/press",
  messageEncoding: "json",
  schema: PRESS,
};

/** What is derived of a hand. */
export function handChannel(side: string, what: "joints" | "tf" | "scene"): ChannelInfo {
  const schema = { joints: HAND_JOINTS, tf: FRAME_TRANSFORMS, scene: SCENE_UPDATE }[what];
  return { topic: `/hand/${side}/${what}`, messageEncoding: "json", schema };
}

/** Which of the two motion streams: devices of both may have the same number. */
export type MotionStreamName = "hands" | "raw";

/** A definition (JSON), or another frame of the motion stream, as it came. */
export function rgmpChannel(stream: MotionStreamName, device: number, what: string): ChannelInfo {
  const channel = motionChannel(stream, `${device}/${encodeURIComponent(what)}`);
  if (what !== DEFINITION_TOPIC) return channel;
  return { ...channel, messageEncoding: "json", schema: DEFINITION };
}

/** That the connection of a motion stream is lost: its devices are gone until they are defined again. */
export function lostChannel(stream: MotionStreamName): ChannelInfo {
  return { topic: `/motion/${stream}/lost`, messageEncoding: "json", schema: LOST };
}

/** Frames of which the device is not known. */
export function strayChannel(stream: MotionStreamName): ChannelInfo {
  return motionChannel(stream, "other");
}

function motionChannel(stream: MotionStreamName, rest: string): ChannelInfo {
  const topic = `/rgmp/${stream === "raw" ? "raw/" : ""}${rest}`;
  return { topic, messageEncoding: RGMP_ENCODING, metadata: new Map([["stream", stream]]) };
}
