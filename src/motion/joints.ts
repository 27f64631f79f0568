/**
 * The names of the joints of a hand, in three spellings.
 *
 * @module
 */

/** Which hand it is. */
export type Side = "left" | "right";

/** The fingers, in the order of every list of fingers. */
export const FINGERS = ["thumb", "index", "middle", "ring", "little"] as const;
/** A finger; the thumb is one. */
export type Finger = typeof FINGERS[number];

/** One value for each finger. */
export type PerFinger<T> = { readonly [F in Finger]: T };

/** Makes one value for each finger. */
export function perFinger<T>(make: (finger: Finger) => T): PerFinger<T> {
  return {
    thumb: make("thumb"),
    index: make("index"),
    middle: make("middle"),
    ring: make("ring"),
    little: make("little"),
  };
}

const FINGER_JOINTS = ["metacarpal", "proximal", "intermediate", "distal", "tip"] as const;

/** A joint by its OpenXR name, in lower case and with underscores. The thumb has no intermediate. */
export type OpenXrJointName =
  | "palm"
  | "wrist"
  | Exclude<
    `${Finger}_${"metacarpal" | "proximal" | "intermediate" | "distal" | "tip"}`,
    "thumb_intermediate"
  >;

/** The names of a finger's joints, from the hand to the tip. */
export const FINGER_JOINT_NAMES: PerFinger<readonly OpenXrJointName[]> = perFinger((finger) =>
  FINGER_JOINTS
    .filter((joint) => finger !== "thumb" || joint !== "intermediate")
    .map((joint) => `${finger}_${joint}` as OpenXrJointName)
);

/** The 26 joints in the order of OpenXR's `XrHandJointEXT`: the streams of `joints_openxr`. */
export const OPENXR_JOINT_NAMES: readonly OpenXrJointName[] = [
  "palm",
  "wrist",
  ...FINGERS.flatMap((finger) => FINGER_JOINT_NAMES[finger]),
];

/**
 * Returns WebXR's name of a joint, such as `index-finger-phalanx-proximal`. The palm has none, as
 * WebXR knows 25 joints.
 */
export function webXrName(joint: OpenXrJointName): string | undefined {
  if (joint === "palm") return undefined;
  if (joint === "wrist") return joint;
  const [finger, bone] = joint.split("_") as [Finger, string];
  const prefix = finger === "thumb" ? finger : `${finger === "little" ? "pinky" : finger}-finger`;
  return `${prefix}-${bone === "metacarpal" || bone === "tip" ? "" : "phalanx-"}${bone}`;
}

/**
 * Returns the name of a joint in the group `joints_local`, such as `left_finger2_medial` for
 * `index_intermediate`. The palm has none. That medial and intermediate are the same is inferred.
 */
export function localName(joint: OpenXrJointName, side: Side): string | undefined {
  if (joint === "palm") return undefined;
  if (joint === "wrist") return `${side}_hand`;
  const [finger, bone] = joint.split("_") as [Finger, string];
  const number = FINGERS.indexOf(finger) + 1;
  return `${side}_finger${number}_${bone === "intermediate" ? "medial" : bone}`;
}
