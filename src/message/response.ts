/**
 * Responses: `{"TrackId", "Response"}` or `{"TrackId", "Error": {"Code", "Message"}}`. That a command's
 * answer holds `Response` or `Error` is confirmed; that `TrackId` stands beside it is assumed.
 *
 * @module
 */

import type { ErrorBody } from "../errors.ts";
import type { Dialect } from "../dialect.ts";
import { readPath, writePath } from "../dialect.ts";
import { fieldTypeError } from "./command.ts";
import { describeValue, isObject, type JsonObject } from "./json.ts";

/** The `TrackId` of a response; `undefined` where it is missing or null. */
export function readTrackId(body: JsonObject, dialect: Dialect): string | undefined {
  const trackId = readPath(body, dialect.trackId) ?? undefined;
  if (trackId === undefined || typeof trackId === "string") return trackId;
  throw fieldTypeError(dialect.trackId, "a string", trackId);
}

/** The data of a response ok: an empty object where it is missing or null (confirmed). */
export function readResponse(body: JsonObject): JsonObject {
  const response = body["Response"] ?? {};
  if (isObject(response)) return response;
  throw fieldTypeError("Response", "an object", response);
}

/** The `Error` of a response error; empty where it is missing or null. */
export function readError(body: JsonObject): ErrorBody {
  const error = body["Error"] ?? {};
  if (isObject(error)) return error;
  throw fieldTypeError("Error", "an object", error);
}

/**
 * Makes the JSON of a response ok; no data, no `Response`.
 *
 * @throws {TypeError} If the JSON of the data is no object, such as that of a `Date`.
 */
export function encodeResponse(
  trackId: string | undefined,
  data: JsonObject | undefined,
  dialect: Dialect,
): string {
  // What counts is what JSON makes of it: `toJSON` may give anything.
  const json = JSON.stringify(data) ?? "null";
  if (json === "null") return encode(trackId, {}, dialect);
  if (!json.startsWith("{")) {
    throw new TypeError(`A response must be an object, not ${describeValue(JSON.parse(json))}`);
  }
  if (dialect.trackId.startsWith("Response.")) {
    return encode(trackId, { Response: JSON.parse(json) }, dialect);
  }
  const head = encode(trackId, {}, dialect).slice(0, -1);
  return `${head}${head === "{" ? "" : ","}"Response":${json}}`;
}

/** Makes the JSON of a response error. */
export function encodeError(
  trackId: string | undefined,
  error: ErrorBody,
  dialect: Dialect,
): string {
  return encode(
    trackId,
    { Error: { Code: error.Code ?? null, Message: error.Message ?? null } },
    dialect,
  );
}

function encode(trackId: string | undefined, rest: object, dialect: Dialect): string {
  if (trackId === undefined) return JSON.stringify(rest);
  // Its key stands first, for people who read along; its place may lie within the rest.
  const [first = ""] = dialect.trackId.split(".");
  const body = { [first]: null, ...rest };
  writePath(body, dialect.trackId, trackId);
  return JSON.stringify(body);
}
