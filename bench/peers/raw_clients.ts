/**
 * Clients that send and count bytes and nothing else, and the same with one `JSON.stringify` for each
 * command and one `JSON.parse` of a string that is ready for each message: the floor of any client that
 * hands out objects.
 */

import { concat } from "@std/bytes";
import { encodeFrame, PayloadType } from "../../src/wire/mod.ts";
import { commandJson, EVENT_JSON, FLOOD, FLOOD_EVENTS, responseJson } from "../support/wire.ts";
import type { Way } from "./clients.ts";
import { type RawEnd, rawSockets } from "./raw.ts";

// Of six digits, as a client's are after its first second.
const TRACK_ID = "100000";
const LIST = encodeFrame(PayloadType.Command, commandJson("ListDevices", TRACK_ID));
const ANSWER = encodeFrame(PayloadType.ResponseOk, responseJson(TRACK_ID));
const FLOOD_COMMAND = encodeFrame(PayloadType.Command, commandJson("Flood", TRACK_ID));
const FLOOD_ANSWER = encodeFrame(PayloadType.ResponseOk, `{"TrackId":"${TRACK_ID}"}`);
// Commands side by side, as many as may be sent at a time.
const BLOCK = 1024;
const block = concat(Array<Uint8Array>(BLOCK).fill(LIST));

/** Sends commands and counts the bytes of the answers. */
export async function rawCommands(port: number, json: boolean): Promise<Way> {
  const command = { Command: "ListDevices", TrackId: TRACK_ID, Version: 1 };
  const answer = responseJson(TRACK_ID);
  const state = { sent: 0, answered: 0, count: 0, extra: 0, done: (): void => {} };
  const end = await (await rawSockets()).connect(port, (bytes) => {
    const received = state.extra + bytes.length;
    state.extra = received % ANSWER.length;
    const answers = (received - state.extra) / ANSWER.length;
    if (json) { for (let i = 0; i < answers; i++) made = JSON.parse(answer); }
    state.answered += answers;
    send(Math.min(answers, state.count - state.sent));
    if (state.answered === state.count) state.done();
  });
  function send(commands: number): void {
    if (commands === 0) return;
    if (json) { for (let i = 0; i < commands; i++) made = JSON.stringify(command); }
    state.sent += commands;
    for (let left = commands; left > 0; left -= BLOCK) {
      end.write(block.subarray(0, Math.min(left, BLOCK) * LIST.length));
    }
  }
  return (count, outstanding) =>
    new Promise((resolve) => {
      Object.assign(state, { sent: 0, answered: 0, count, done: resolve });
      send(Math.min(count, outstanding));
    });
}

/** Asks for floods and counts their bytes. */
export async function rawEvents(port: number, json: boolean): Promise<Way> {
  const size = FLOOD.length + FLOOD_ANSWER.length;
  const eventSize = FLOOD.length / FLOOD_EVENTS;
  const state = { received: 0, parsed: 0, asked: 0, expected: 0, done: (): void => {} };
  const end: RawEnd = await (await rawSockets()).connect(port, (bytes) => {
    state.received += bytes.length;
    if (json) {
      for (; state.parsed + eventSize <= state.received; state.parsed += eventSize) {
        made = JSON.parse(EVENT_JSON);
      }
    }
    while (state.asked < state.expected && state.asked < state.received + 3 * size) ask();
    if (state.received === state.expected) state.done();
  });
  function ask(): void {
    state.asked += size;
    end.write(FLOOD_COMMAND);
  }
  return (count) =>
    new Promise((resolve) => {
      const expected = count / FLOOD_EVENTS * size;
      Object.assign(state, { received: 0, parsed: 0, asked: 0, expected, done: resolve });
      ask();
    });
}

/** Throws unless all servers answer with the same bytes. */
export async function checkServers(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const received: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = await (await rawSockets()).connect(port, (bytes) => {
      received.push(...bytes);
      if (received.length >= ANSWER.length) resolve();
    });
    end.write(LIST);
    await promise;
    end.close();
    if (received.length !== ANSWER.length || ANSWER.some((byte, i) => byte !== received[i])) {
      throw new Error(`The server on port ${port} answers otherwise`);
    }
  }
}

/** Where results go, so that no compiler leaves the work out. */
export let made: unknown;
