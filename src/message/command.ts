/**
 * Commands: `{"Command", "TrackId", "Version", "Arguments"}` (confirmed).
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { describeValue, isObject, type JsonObject } from "./json.ts";

/** The default `Version` of a command (confirmed). */
export const COMMAND_VERSION = 1;

/** A command as a server receives it. */
export interface Command {
  /** The command's name, case-sensitive. */
  readonly Command: string;
  /** The client's identifier of the command, repeated in the response. */
  readonly TrackId: string;
  /** Rokoko's client sends 1. */
  readonly Version: number;
  /** Empty if the command has none. */
  readonly Arguments: JsonObject;
}

/**
 * The id of a device, as the driver listed it. Small integers are seen; whatever else a driver may list is
 * passed back untouched.
 */
export type DeviceId = string | number;

/**
 * The arguments of a command; a key with the value `undefined` is left out. The names of call options are
 * refused by type: options are the third parameter of `call()`.
 */
export interface Arguments {
  /** Not an argument: see `CallOptions`. */
  readonly timeout?: never;
  /** Not an argument: see `CallOptions`. */
  readonly signal?: never;
  /** Not an argument: see `CallOptions`. */
  readonly version?: never;
  /** Any JSON value. */
  readonly [key: string]: unknown;
}

/** Returns the JSON of a command; `args` is JSON, too. */
export function encodeCommand(
  name: string,
  trackId: string,
  version: number,
  args: string | undefined,
): string {
  const rest = args === undefined ? "" : `,"Arguments":${args}`;
  return `{"Command":${JSON.stringify(name)},"TrackId":"${trackId}","Version":${version}${rest}}`;
}

/**
 * Returns a command's arguments as JSON.
 *
 * @throws {TypeError} If they are not an object, or contain a value that has no JSON.
 */
export function encodeArguments(args: Arguments | null | undefined): string | undefined {
  if (args === undefined || args === null) return undefined;
  const json: unknown = JSON.stringify(args);
  if (typeof json !== "string" || json[0] !== "{") {
    throw new TypeError(
      `Cannot send command as its arguments must be an object, not ${describeValue(args)}`,
    );
  }
  return json;
}

/**
 * Decodes the body of a command.
 *
 * @throws {ProtocolError} If a key is missing or has a value of the wrong type.
 */
export function decodeCommand(body: JsonObject): Command {
  const { Command, TrackId, Version } = body;
  const args = body["Arguments"] ?? {};
  if (typeof Command !== "string") throw fieldTypeError("Command", "a string", Command);
  if (typeof TrackId !== "string") throw fieldTypeError("TrackId", "a string", TrackId);
  if (typeof Version !== "number") throw fieldTypeError("Version", "a number", Version);
  if (!isObject(args)) throw fieldTypeError("Arguments", "an object", args);
  return { Command, TrackId, Version, Arguments: args };
}

/** The error for a key with a value of the wrong type. */
export function fieldTypeError(key: string, expected: string, value: unknown): ProtocolError {
  return new ProtocolError("bad-shape", `Cannot read '${key}'`, {
    expected,
    received: describeValue(value),
  });
}
