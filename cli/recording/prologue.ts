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

/**
 * Bytes that are kept of exchanges, and of commands without a response. Exchanges of connections that
 * have ended make room for others; beyond that, nothing is kept of further commands.
 */
const MOST = 256 * 1024;

/** A frame as it is recorded. */
export interface PrologueEntry {
  readonly direction: Direction;
  readonly data: Uint8Array;
}

interface PendingCommand {
  readonly key: string;
  readonly data: Uint8Array;
}

interface Exchange {
  readonly connection: number;
  readonly entries: readonly PrologueEntry[];
}

export class Prologue {
  readonly #exchanges = new Map<string, Exchange>();
  /** By connection; `undefined` for a command that is not kept, whose response must still be told apart. */
  readonly #pending = new Map<number, (PendingCommand | undefined)[]>();
  /** Connections that have not ended. */
  readonly #live = new Set<number>();
  #length = 0;
  #pendingLength = 0;

  /** The frames, each command before its response. */
  entries(): PrologueEntry[] {
    return [...this.#exchanges.values()].flatMap(({ entries }) => entries);
  }

  /** Takes a frame; `data` is what is recorded of it. */
  note(connection: number, type: PayloadType, payload: Uint8Array, data: Uint8Array): void {
    if (type === PayloadType.Event) return;
    this.#live.add(connection);
    const pending = this.#pending.get(connection) ?? [];
    if (type === PayloadType.Command) {
      this.#pending.set(connection, pending);
      pending.push(this.#pend(payload, data));
      return;
    }
    const command = pending.shift();
    if (pending.length === 0) this.#pending.delete(connection);
    if (command === undefined) return;
    this.#pendingLength -= command.data.length;
    this.#keep(`${connection} ${command.key}`, {
      connection,
      entries: [{ direction: "out", data: command.data }, { direction: "in", data }],
    });
  }

  /** A connection has ended: what it has not been answered never will be. */
  left(connection: number): void {
    this.#live.delete(connection);
    for (const command of this.#pending.get(connection) ?? []) {
      this.#pendingLength -= command?.data.length ?? 0;
    }
    this.#pending.delete(connection);
  }

  #pend(payload: Uint8Array, data: Uint8Array): PendingCommand | undefined {
    if (this.#pendingLength + data.length > MOST) return undefined;
    const key = keyOf(payload);
    if (key === undefined) return undefined;
    this.#pendingLength += data.length;
    return { key, data };
  }

  #keep(key: string, exchange: Exchange): void {
    const added = size(exchange);
    if (this.#length - size(this.#exchanges.get(key)) + added > MOST) this.#makeRoom(added);
    if (this.#length - size(this.#exchanges.get(key)) + added > MOST) return;
    // The newest is last.
    this.#remove(key);
    this.#length += added;
    this.#exchanges.set(key, exchange);
  }

  #makeRoom(length: number): void {
    for (const [key, { connection }] of this.#exchanges) {
      if (this.#length + length <= MOST) return;
      if (!this.#live.has(connection)) this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.#length -= size(this.#exchanges.get(key));
    this.#exchanges.delete(key);
  }
}

function size(exchange: Exchange | undefined): number {
  return exchange?.entries.reduce((sum, { data }) => sum + data.length, 0) ?? 0;
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
