/**
 * Bytes to lines of text, with their numbers.
 *
 * @module
 */

/** A line without its end. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  /** `undefined` where it is no UTF-8. */
  readonly text: string | undefined;
  /** Whether nothing but the end of the input ended it. */
  readonly last: boolean;
}

/** A line that is longer than allowed. */
export class LineTooLong extends Error {
  override readonly name: string = "LineTooLong";
  /** Its number. */
  readonly number: number;

  /** Makes the error of a line. */
  constructor(number: number) {
    super(`Line ${number} is too long`);
    this.number = number;
  }
}

const NEWLINE = 0x0a;

/**
 * Cuts bytes into lines; not more than `maxBytes` and a chunk are held.
 *
 * @throws {LineTooLong} If a line has more than `maxBytes`.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Line> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > maxBytes) throw new LineTooLong(number);
    parts.push(part);
  };
  const take = (last: boolean): Line => {
    const line = { number: number++, text: decode(decoder, join(parts, length)), last };
    [parts, length] = [[], 0];
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      yield take(false);
      start = end + 1;
    }
    // A copy, as the source may use its memory again.
    if (start < chunk.length) add(chunk.slice(start));
  }
  if (length > 0) yield take(true);
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
