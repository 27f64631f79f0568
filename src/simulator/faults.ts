/**
 * Fault injection.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import type { Socket } from "../socket/socket.ts";
import { randomInteger } from "./random.ts";

/** Faults in what the simulator sends; sizes are bytes of one connection. */
export interface Faults {
  /** Closes the connection after so many bytes. */
  cutAfter?: number | undefined;
  /** Sends random bytes instead after so many bytes. */
  garbageAfter?: number | undefined;
  /** Sends nothing after so many bytes; the connection stays open. */
  silentAfter?: number | undefined;
  /** Maximum bytes per write. */
  slice?: number | undefined;
  /** Milliseconds before each write. */
  pause?: number | undefined;
}

/** Injects faults into the writes of a socket; `faults` is read before each write. */
export function withFaults(
  socket: Socket,
  faults: () => Faults,
  random: () => number,
  wait: (milliseconds: number) => Promise<void>,
): Socket {
  let sent = 0;
  let gone = false;
  let wake = (): void => {};
  socket.closed.then(() => {
    gone = true;
    wake();
  });
  /** Sends bytes up to the next threshold. Returns their number. */
  async function writePiece(bytes: Uint8Array): Promise<number> {
    const { cutAfter, garbageAfter, silentAfter, slice, pause } = faults();
    if (pause !== undefined) {
      // close() must settle the pending write. Not Promise.race(): `closed` would keep each pause.
      await new Promise<void>((resolve) => {
        wake = resolve;
        wait(pause).then(resolve);
      });
    }
    if (gone) throw new ConnectionError("connection-closed", "The connection is closed");
    if (sent >= (cutAfter ?? Infinity)) {
      socket.close();
      throw new ConnectionError("connection-closed", "The connection was closed by 'cutAfter'");
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

/** Faults are not validated: a write of 0 bytes would loop forever. */
function wholeBytes(count: number): number {
  return count >= 1 ? Math.floor(count) : 1;
}
