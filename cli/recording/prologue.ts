/**
 * The newest response to each command so far, which every file of a recording begins with: a take that
 * starts later can be replayed on its own.
 *
 * @module
 */

import { PayloadType } from "@rcsp/rcsp/wire";
import { isObject } from "../text/values.ts";
import { commandKey } from "./contents.ts";
import type { Direction } from "./format.ts";

/** Bytes that are kept; of further commands nothing is. */
const MOST = 256 * 1024;
/** Commands without a response that are looked at, of one connection. */
const MOST_PENDING = 1_024;

/** A frame as it is recorded. */
export interface PrologueEntry {
  readonly direction: Direction;
  readonly data: Uint8Array;
}

interface PendingCommand {
  readonly key: string | undefined;
  readonly data: Uint8Array;
}

const UNKNOWN: PendingCommand = { key: undefined, data: new Uint8Array(0) };

export class Prologue {
  readonly #exchanges = new Map<string, readonly PrologueEntry[]>();
  readonly #pending = new Map<number, PendingCommand[]>();
  #length = 0;

  /** The frames, each command before its response. */
  entries(): PrologueEntry[] {
    return [...this.#exchanges.values()].flat();
  }

  /** Takes a frame; `data` is what is recorded of it. */
  note(connection: number, type: PayloadType, payload: Uint8Array, data: Uint8Array): void {
    if (type === PayloadType.Event) return;
    const pending = this.#pending.get(connection) ?? [];
    if (type === PayloadType.Command) {
      this.#pending.set(connection, pending);
      pending.push(pending.length < MOST_PENDING ? { key: keyOf(payload), data } : UNKNOWN);
      return;
    }
    const command = pending.shift();
    if (pending.length === 0) this.#pending.delete(connection);
    if (command?.key === undefined) return;
    this.#keep(`${connection} ${command.key}`, [
      { direction: "out", data: command.data },
      { direction: "in", data },
    ]);
  }

  #keep(key: string, exchange: readonly PrologueEntry[]): void {
    const length = this.#length - size(this.#exchanges.get(key)) + size(exchange);
    if (length > MOST) return;
    this.#length = length;
    // The newest stands last.
    this.#exchanges.delete(key);
    this.#exchanges.set(key, exchange);
  }
}

function size(exchange: readonly PrologueEntry[] = []): number {
  return exchange.reduce((sum, { data }) => sum + data.length, 0);
}

function keyOf(payload: Uint8Array): string | undefined {
  if (payload.length > MOST) return undefined;
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(payload));
    return isObject(body) ? commandKey(body) : undefined;
  } catch {
    return undefined;
  }
}
