/**
 * What listens where a driver was expected, by the bytes that it sends.
 *
 * @module
 */

import { CommandError } from "@rcsp/rcsp";
import { encodeFrame, PayloadType } from "@rcsp/rcsp/wire";
import type { Context, Driver } from "../command_line/command.ts";
import { dial } from "../driver/dial.ts";
import { quote } from "../text/values.ts";

/** Milliseconds that it has to send something. */
const PATIENCE = 1_000;
/** As many bytes tell protocols apart. */
const ENOUGH = 16;

const encoder = new TextEncoder();

/** What makes others answer, harmless to each; a TLS ClientHello without extensions is the last. */
const QUESTIONS: readonly Uint8Array[] = [
  encodeFrame(PayloadType.Command, '{"Command":"ListDevices","TrackId":"1","Version":1}'),
  encoder.encode("GET / HTTP/1.0\r\n\r\n"),
  Uint8Array.of(
    ...[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3],
    ...new Uint8Array(33), // random, and no session
    ...[0, 2, 0x13, 1, 1, 0], // one cipher suite, no compression
  ),
];

/** What is wrong with an answer: where it is not a driver that answers, what it is. */
export async function reasonOf(context: Context, server: Driver, error: Error): Promise<string> {
  context.signal.throwIfAborted();
  const isRefusal = error instanceof CommandError;
  return (isRefusal ? undefined : await identifyPort(context, server)) ?? error.message;
}

/** `undefined` if it looks like RCSP, or if nothing listens there any more. */
async function identifyPort(context: Context, server: Driver): Promise<string | undefined> {
  let isClosed: boolean | undefined;
  for (const question of QUESTIONS) {
    const answer = await ask(context, server, question).catch(() => undefined);
    if (answer === undefined) return undefined;
    if (answer.bytes.length > 0) return describe(answer.bytes);
    isClosed ??= answer.isClosed;
  }
  return isClosed ? "it closes the connection without an answer" : "it accepts but sends nothing";
}

/** Each question has a connection of its own. */
async function ask(
  context: Context,
  server: Driver,
  question: Uint8Array,
): Promise<{ bytes: Uint8Array; isClosed: boolean }> {
  const socket = await dial(server, context);
  const done = new AbortController();
  let bytes = new Uint8Array();
  let isClosed = false;
  const read = async (): Promise<void> => {
    await socket.write(question);
    while (bytes.length < ENOUGH) {
      const chunk = await socket.read();
      if (chunk === null) break;
      bytes = Uint8Array.of(...bytes, ...chunk.subarray(0, 100));
    }
  };
  const reading = read().catch(() => {}).finally(() => {
    isClosed = true;
    done.abort();
  });
  await context.pause(PATIENCE, AbortSignal.any([done.signal, context.signal]));
  const answer = { bytes, isClosed };
  socket.close();
  await reading;
  return answer;
}

function describe(bytes: Uint8Array): string | undefined {
  const [line = ""] = new TextDecoder("latin1").decode(bytes).split(/[\r\n]/);
  const [first, second] = bytes;
  if (line.startsWith("SSH-")) return `it is an SSH server, which sent ${quote(line)}`;
  if (line.startsWith("HTTP/")) return `it is a web server (HTTP), which sent ${quote(line)}`;
  if ((first === 0x15 || first === 0x16) && second === 3) return "it is a TLS server";
  if (isMotion(bytes)) return "it is a motion stream (RGMP), not RCSP";
  return first === 0xdc ? undefined : `it is not RCSP: it sent ${quote(line)}`;
}

/** A definition comes first: prefix 1, a length, and JSON; nothing where no device is connected. */
function isMotion(bytes: Uint8Array): boolean {
  return [1, 0, 0, 0].every((byte, i) => bytes[i] === byte) && bytes[8] === 0x7b;
}
