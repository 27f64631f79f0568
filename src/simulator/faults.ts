/**
 * A socket that misbehaves on purpose.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import type { Socket } from "../socket/socket.ts";
import { randomInteger } from "./random.ts";

/** What goes wrong with what the simulator sends; counts are bytes of one connection. */
export interface Faults {
  /** The connection ends after so many bytes. */
  cutAfter?: number | undefined;
  /** After so many bytes, chance bytes come instead of the right ones. */
  garbageAfter?: number | undefined;
  /** After so many bytes nothing comes any more; the connection stays. */
  silentAfter?: number | undefined;
  /** At most so many bytes in one piece. */
  slice?: number | undefined;
  /** Milliseconds before each piece. */
  pause?: number | undefined;
}

/** Puts faults on what is written to a socket; `faults` is asked before each piece. */
export function withFaults(
  socket: Socket,
  faults: () => Faults,
  random: () => number,
  wait: (milliseconds: number) => Promise<void>,
): Socket {
  let sent = 0;
  let gone = false;
  socket.closed.then(() => gone = true);
  /** Sends a piece that no threshold lies within; gives its length. */
  async function writePiece(bytes: Uint8Array): Promise<number> {
    const { cutAfter, garbageAfter, silentAfter, slice, pause } = faults();
    // As with any socket, close() settles what waits; what is silent would not notice otherwise.
    if (pause !== undefined) await Promise.race([wait(pause), socket.closed]);
    if (gone) throw new ConnectionError("connection-closed", "The connection has ended");
    if (sent >= (cutAfter ?? Infinity)) {
      socket.close();
      throw new ConnectionError("connection-closed", "The connection was cut by a fault");
    }
    const thresholds = [cutAfter, garbageAfter, silentAfter].filter((at) => (at ?? 0) > sent);
    const length = Math.min(
      bytes.length,
      wholeBytes(slice ?? Infinity),
      ...thresholds.map((at) => wholeBytes(at! - sent)),
    );
    let piece = bytes.subarray(0, length);
    if (sent >= (garbageAfter ?? Infinity)) {
      piece = Uint8Array.from(piece, () => randomInteger(random, 0, 255));
    }
    const silent = sent >= (silentAfter ?? Infinity);
    sent += length;
    if (!silent) await socket.write(piece);
    return length;
  }
  return {
    read: () => socket.read(),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
    closed: socket.closed,
    remote: socket.remote,
    async write(bytes: Uint8Array): Promise<void> {
      for (let at = 0; at < bytes.length;) at += await writePiece(bytes.subarray(at));
      if (sent >= (faults().cutAfter ?? Infinity)) socket.close();
    },
  };
}

/** Faults may be set at any time to anything: a piece of no bytes would never come to an end. */
function wholeBytes(count: number): number {
  return count >= 1 ? Math.floor(count) : 1;
}
