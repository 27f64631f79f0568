/**
 * The core of the motion stream (RGMP v2), without any I/O: frames, definitions, samples, hands.
 *
 * ```ts
 * import { MotionDecoder, MotionRegistry, normalizeCurls } from "@rcsp/rcsp/motion";
 *
 * const registry = new MotionRegistry({
 *   onSample(_sample, { hand }) {
 *     const measures = hand?.measure();
 *     if (measures) console.log(hand?.side, normalizeCurls(measures.curls));
 *   },
 * });
 * const decoder = new MotionDecoder();
 * // For each chunk that a socket to port 12277 receives:
 * decoder.push(new Uint8Array(0), registry.receive);
 * ```
 *
 * @module
 */

export type { RcspError, RcspErrorCode } from "../errors.ts";
export type { JsonObject, JsonValue } from "../message/json.ts";
export { calibrateHand, DEFAULT_CALIBRATION, normalizeCurls } from "./calibration.ts";
export type { HandCalibration } from "./calibration.ts";
export { SampleCursor } from "./cursor.ts";
export { DataFrame } from "./data_frame.ts";
export type { BigIntValues, NumberValues, Sample, StreamValues } from "./data_frame.ts";
export type { DataType, ElementType } from "./data_type.ts";
export { findGroup, parseDefinitionJson, readDefinition } from "./definition.ts";
export type {
  BigIntStream,
  DefinitionLimits,
  DeviceDefinition,
  MotionGroup,
  MotionStream,
  NumberStream,
  StaticValue,
  StreamLayout,
} from "./definition.ts";
export { MotionDecoder } from "./decoder.ts";
export type { MotionDecoderOptions, MotionSink } from "./decoder.ts";
export type { MotionDevice } from "./device.ts";
export type { Pace } from "./device_clock.ts";
export { encodeDefinition, encodeDisconnect, MOTION_PORTS, MotionPrefix } from "./frame.ts";
export type { Hand } from "./hand.ts";
export type { HandAxes, Joint, JointSet } from "./joint_set.ts";
export { FINGERS, OPENXR_JOINT_NAMES } from "./joints.ts";
export type { Finger, OpenXrJointName, PerFinger, Side } from "./joints.ts";
export { MOTION_LIMITS } from "./limits.ts";
export type { MotionLimits } from "./limits.ts";
export type { LocalJoints } from "./local_joints.ts";
export type { HandMeasures } from "./measures.ts";
export type { OpenXrJoints } from "./openxr_joints.ts";
export { MotionRegistry } from "./registry.ts";
export type { MotionListeners, MotionRegistryOptions, MotionStats } from "./registry.ts";
export { createMotionClient } from "./motion_client.ts";
export type { MotionClient, MotionEvents, MotionOptions } from "./motion_client.ts";
