/**
 * Decoding of bodies: UTF-8, JSON and nesting are checked here.
 *
 * @module
 */

import { LimitError, ProtocolError } from "../errors.ts";
import { quote } from "../escape.ts";

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. Its keys are untrusted: `__proto__` may be an own key. */
export interface JsonObject {
  /** Untrusted. */
  [key: string]: JsonValue;
}

const REPLACEMENT = "\ufffd";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * Decodes a body as one JSON object.
 *
 * @throws {ProtocolError} If the body is not UTF-8 or not one JSON object.
 * @throws {LimitError} If it is nested deeper than `maxDepth`.
 */
export function parseBody(payload: Uint8Array, maxDepth: number): JsonObject {
  const text = decodeText(payload);
  // Each level takes two bytes, so a short body cannot be too deep.
  if (text.length > 2 * maxDepth) checkDepth(text, maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("bad-json", "Cannot read body", {
      expected: "a JSON object",
      received: payload.length === 0 ? "nothing" : `${payload.length} bytes that are not JSON`,
      bytes: payload,
      cause,
    });
  }
  if (!isObject(value)) {
    throw new ProtocolError("bad-json", "Cannot read body", {
      expected: "a JSON object",
      received: describeValue(value),
      bytes: payload,
    });
  }
  return value;
}

/** Whether a value is an object and not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Describes a value in messages: `an array`, `the number 5`. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "object":
      return "an object";
    case "string":
      return `the string ${quote(value)}`;
    default:
      return `the ${typeof value} ${String(value)}`;
  }
}

function decodeText(payload: Uint8Array): string {
  const text = decoder.decode(payload);
  // The fatal decoder is slow in Deno: use it only if the other has replaced something (or the text really
  // contains U+FFFD).
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return strictDecoder.decode(payload);
  } catch (cause) {
    throw new ProtocolError("bad-utf8", "Cannot read body", {
      expected: "UTF-8",
      received: `${payload.length} bytes that are not`,
      bytes: payload,
      cause,
    });
  }
}

function checkDepth(text: string, maxDepth: number): void {
  if (fewBrackets(text, maxDepth)) return;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) {
          throw new LimitError(
            `Cannot read body as it is nested deeper than 'maxDepth' (${maxDepth})`,
            "maxDepth",
            maxDepth,
            true,
          );
        }
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
}

/** Fast path: fewer opening brackets than allowed levels. */
function fewBrackets(text: string, maxDepth: number): boolean {
  const left = maxDepth - countUpTo(maxDepth, text, "{");
  return left >= 0 && countUpTo(left, text, "[") <= left;
}

/** Counts a character; stops counting above `most`. */
function countUpTo(most: number, text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    if (++count > most) break;
  }
  return count;
}

/** The index of the closing quote of the string that starts at `start`. */
export function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}
