/**
 * Presses of buttons among the frames of a connection, with the names of their devices.
 *
 * @module
 */

import type { JsonValue } from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import { PayloadType } from "@rcsp/rcsp/wire";
import { isObject } from "../text/values.ts";

/** The longest body that is looked at. */
const LONGEST = 64 * 1024;
/** Most devices whose names are kept. */
const MOST_NAMES = 1_000;

/** A press as it is recorded. */
export interface Press {
  /** `SinglePress`, `DoublePress` or `LongPress`. */
  readonly press: string;
  /** The `DeviceId`. */
  readonly device: JsonValue;
  /** The name by which the driver listed the device. */
  readonly name: string | undefined;
}

export class PressFinder {
  readonly #names = new Map<string, string>();

  /** Looks at a frame of the driver; returns the press that it reports. */
  find(type: PayloadType, payload: Uint8Array): Press | undefined {
    if (type !== PayloadType.Event && type !== PayloadType.ResponseOk) return undefined;
    return this.look(type, parse(payload));
  }

  /** The same for a body that is parsed. */
  look(type: PayloadType, body: JsonValue | undefined): Press | undefined {
    if (!isObject(body)) return undefined;
    if (type === PayloadType.ResponseOk) return this.#learn(body["Response"]);
    if (type !== PayloadType.Event) return undefined;
    const press = findPressType(body);
    if (press === undefined) return undefined;
    const device = body["DeviceId"] ?? null;
    return { press, device, name: this.#names.get(JSON.stringify(device)) };
  }

  /** Keeps the names of listed devices. */
  #learn(response: JsonValue | undefined): undefined {
    const devices = isObject(response) ? response["Devices"] : undefined;
    if (!Array.isArray(devices)) return;
    this.#names.clear();
    for (const device of devices.slice(0, MOST_NAMES)) {
      if (!isObject(device) || typeof device["Name"] !== "string") continue;
      this.#names.set(JSON.stringify(device["DeviceId"] ?? null), device["Name"]);
    }
  }
}

/** Whether an argument of the command line names a device: its id as text, or as JSON. */
export function isNamed(device: JsonValue, argument: string): boolean {
  return argument === device || argument === JSON.stringify(device);
}

function parse(payload: Uint8Array): JsonValue | undefined {
  if (payload.length > LONGEST) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
