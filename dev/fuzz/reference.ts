/** A slow reference implementation of the protocol. It shares nothing with `src/`. */

/** Position of a body in a stream. */
export interface ReferenceFrame {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** The expected result for a whole stream. */
export interface ReferenceOutcome {
  readonly frames: ReferenceFrame[];
  /** The error code, if it fails. */
  readonly code: string | undefined;
  /** Offset of the failing frame. */
  readonly offset: number;
}

/** Splits a whole stream into frames. */
export function referenceDecode(bytes: Uint8Array, maxPayload: number): ReferenceOutcome {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: ReferenceFrame[] = [];
  let offset = 0;
  const fails = (code: string): ReferenceOutcome => ({ frames, code, offset });
  while (offset < bytes.length) {
    const left = bytes.length - offset;
    if (left < 8) return fails("cut-frame");
    if (view.getUint8(offset) !== 0xdc) return fails("bad-marker");
    if (view.getUint8(offset + 1) !== 1) return fails("bad-version");
    if (view.getUint8(offset + 2) !== 8) return fails("bad-header-size");
    const type = view.getUint8(offset + 3);
    if (type < 1 || type > 4) return fails("bad-type");
    const size = view.getUint32(offset + 4, true);
    if (size > maxPayload) return fails("limit-reached");
    if (size > left - 8) return fails("cut-frame");
    const start = offset + 8;
    frames.push({ type, start, end: start + size });
    offset = start + size;
  }
  return { frames, code: undefined, offset };
}

/** The expected result for a body: its object, or the allowed error codes. */
export type ReferenceBody =
  | { readonly value: Record<string, unknown>; readonly codes?: undefined }
  | { readonly value?: undefined; readonly codes: readonly string[] };

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a body. */
export function referenceBody(payload: Uint8Array, maxDepth: number): ReferenceBody {
  let text: string;
  try {
    text = strict.decode(payload);
  } catch {
    return { codes: ["bad-utf8"] };
  }
  const tooDeep = depthOf(text) > maxDepth;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Invalid JSON has no depth, so both codes are allowed.
    return { codes: tooDeep ? ["bad-json", "limit-reached"] : ["bad-json"] };
  }
  if (tooDeep) return { codes: ["limit-reached"] };
  return isObject(value) ? { value } : { codes: ["bad-json"] };
}

/** Whether a value is an object, but not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted && letter === "\\") i++;
    else if (letter === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (letter === "[" || letter === "{") deepest = Math.max(deepest, ++depth);
    else if (letter === "]" || letter === "}") depth--;
  }
  return deepest;
}
