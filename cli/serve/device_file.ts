/**
 * The file that says which devices a simulator has.
 *
 * @module
 */

import { describeValue } from "../../src/message/json.ts";
import { quote } from "../../src/escape.ts";
import { checkDevice, type SimulatedDevice } from "../../src/simulator/devices.ts";
import { UsageError } from "../exit.ts";
import { readJson } from "../input.ts";
import type { CliIo } from "../io.ts";

const FILE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a JSON array of devices.
 *
 * @throws {UsageError} If it cannot be read or a device is wrong.
 */
export async function readDevices(io: CliIo, path: string): Promise<SimulatedDevice[]> {
  const devices = await readJson(io, path, FILE_BYTES);
  if (!Array.isArray(devices)) {
    throw new UsageError(
      `${quote(path)} must hold an array of devices, not ${describeValue(devices)}`,
    );
  }
  try {
    return devices.map((device, i) =>
      checkDevice(device, `Cannot use device ${i + 1} of ${quote(path)}`)
    );
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
