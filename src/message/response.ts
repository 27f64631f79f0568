/**
 * Responses: `{"TrackId", "Response"}` or `{"TrackId", "Error": {"Code", "Message"}}`. `Response` and
 * `Error` are confirmed; the place of `TrackId` is assumed.
 *
 * @module
 */

import type { ErrorBody } from "../errors.ts";
import type { Dialect } from "../dialect.ts";
import { readPath, writePath } from "../dialect.ts";
import { fieldTypeError } from "./command.ts";
import type { PayloadType } from "../wire/header.ts";
import { describeValue, isObject, type JsonObject } from "./json.ts";

/** A response as it came, to be passed on. */
export class RawResponse {
  /** Whether it is an error. */
  readonly type: PayloadType;
  /** The whole body. */
  readonly json: string;

  constructor(type: PayloadType, json: string) {
    this.type = type;
    this.json = json;
  }
}

/** The `TrackId` of a response; `undefined` if missing or null. */
export function readTrackId(body: JsonObject, dialect: Dialect): string | undefined {
  const trackId = readPath(body, dialect.trackId) ?? undefined;
  if (trackId === undefined || typeof trackId === "string") return trackId;
  throw fieldTypeError(dialect.trackId, "a string", trackId);
}

/** The data of a successful response: an empty object if missing or null (confirmed). */
export function readResponse(body: JsonObject): JsonObject {
  const response = body["Response"] ?? {};
  if (isObject(response)) return response;
  throw fieldTypeError("Response", "an object", response);
}

/** The `Error` of an error response; empty if missing or null. */
export function readError(body: JsonObject): ErrorBody {
  const error = body["Error"] ?? {};
  if (isObject(error)) return error;
  throw fieldTypeError("Error", "an object", error);
}

/**
 * Returns the JSON of a successful response, without `Response` if there is no data.
 *
 * @throws {TypeError} If the JSON of the data is not an object, such as that of a `Date`.
 */
export function encodeResponse(
  trackId: string | undefined,
  data: JsonObject | undefined,
  dialect: Dialect,
): string {
  // Check the JSON, not the data: `toJSON` may return anything.
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

/** Returns the JSON of an error response. */
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
  // First, for people who read the traffic; its key path may lead into the rest.
  const [first = ""] = dialect.trackId.split(".");
  const body = { [first]: null, ...rest };
  writePath(body, dialect.trackId, trackId);
  return JSON.stringify(body);
}
