/**
 * The commands and responses so far, which every file of a recording begins with: a take that starts
 * later can be replayed on its own.
 *
 * @module
 */

import { PayloadType } from "@rcsp/rcsp/wire";
import type { Direction } from "./format.ts";

/** Bytes that are kept; later commands, and their responses, are not. */
const MOST = 256 * 1024;

/** A frame as it is recorded. */
export interface PrologueEntry {
  readonly direction: Direction;
  readonly data: Uint8Array;
}

export class Prologue {
  readonly entries: PrologueEntry[] = [];
  #length = 0;
  /** For each connection, for each command without a response, whether it is kept. */
  readonly #pending = new Map<number, boolean[]>();

  /** Keeps a frame, if it is part of an exchange and there is room. */
  note(direction: Direction, connection: number, type: PayloadType, data: Uint8Array): void {
    if (type === PayloadType.Event) return;
    const pending = this.#pending.get(connection) ?? [];
    this.#pending.set(connection, pending);
    const isCommand = type === PayloadType.Command;
    const isKept = isCommand ? this.#length < MOST : pending.shift();
    if (isCommand) pending.push(isKept === true);
    if (pending.length === 0) this.#pending.delete(connection);
    if (!isKept) return;
    this.#length += data.length;
    this.entries.push({ direction, data });
  }
}
