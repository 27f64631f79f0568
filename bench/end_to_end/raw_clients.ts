/**
 * Clients that only send and count bytes; and the same plus one `JSON.stringify` per command and one
 * `JSON.parse` of a ready string per message, the minimum for a client that returns objects.
 */

import { concat } from "@std/bytes";
import { encodeFrame, PayloadType } from "../../src/wire/mod.ts";
import { commandJson, EVENT_JSON, FLOOD, FLOOD_EVENTS, FLOODS, responseJson } from "./messages.ts";
import { rawSockets } from "./raw_sockets.ts";
import type { Client } from "./tasks.ts";

// Six digits, as after the first second of a client.
const TRACK_ID = "100000";
const LIST = encodeFrame(PayloadType.Command, commandJson("ListDevices", TRACK_ID));
const RESPONSE = encodeFrame(PayloadType.ResponseOk, responseJson(TRACK_ID));
const FLOOD_COMMAND = encodeFrame(PayloadType.Command, commandJson("Flood", TRACK_ID));
const FLOOD_RESPONSE = encodeFrame(PayloadType.ResponseOk, `{"TrackId":"${TRACK_ID}"}`);
// Consecutive commands, so that one write sends many.
const BLOCK = 1024;
const block = concat(Array<Uint8Array>(BLOCK).fill(LIST));

/** Sends commands and counts the bytes of the responses. */
export async function rawCommands(port: number, json: boolean): Promise<Client> {
  const command = { Command: "ListDevices", TrackId: TRACK_ID, Version: 1 };
  const response = responseJson(TRACK_ID);
  const state = { sent: 0, received: 0, count: 0, bytes: 0, done: (): void => {} };
  const socket = await (await rawSockets()).connect(port, ({ length }) => {
    const bytes = state.bytes + length;
    state.bytes = bytes % RESPONSE.length;
    const responses = (bytes - state.bytes) / RESPONSE.length;
    if (json) { for (let i = 0; i < responses; i++) result = JSON.parse(response); }
    state.received += responses;
    send(Math.min(responses, state.count - state.sent));
    if (state.received === state.count) state.done();
  });
  function send(commands: number): void {
    if (commands === 0) return;
    if (json) { for (let i = 0; i < commands; i++) result = JSON.stringify(command); }
    state.sent += commands;
    for (let left = commands; left > 0; left -= BLOCK) {
      socket.write(block.subarray(0, Math.min(left, BLOCK) * LIST.length));
    }
  }
  return (count, outstanding) =>
    new Promise((resolve) => {
      Object.assign(state, { sent: 0, received: 0, count, done: resolve });
      send(Math.min(count, outstanding));
    });
}

/** Sends `Flood` commands and counts the bytes of the events. */
export async function rawEvents(port: number, json: boolean): Promise<Client> {
  const size = FLOOD.length + FLOOD_RESPONSE.length;
  const eventSize = FLOOD.length / FLOOD_EVENTS;
  const state = { received: 0, parsed: 0, requested: 0, expected: 0, done: (): void => {} };
  const socket = await (await rawSockets()).connect(port, ({ length }) => {
    state.received += length;
    if (json) {
      for (; state.parsed + eventSize <= state.received; state.parsed += eventSize) {
        result = JSON.parse(EVENT_JSON);
      }
    }
    request();
    if (state.received === state.expected) state.done();
  });
  function request(): void {
    const most = Math.min(state.expected, state.received + FLOODS * size);
    for (; state.requested < most; state.requested += size) socket.write(FLOOD_COMMAND);
  }
  return (count) =>
    new Promise((resolve) => {
      const expected = count / FLOOD_EVENTS * size;
      Object.assign(state, { received: 0, parsed: 0, requested: 0, expected, done: resolve });
      request();
    });
}

/** Throws if a server does not send the expected response. */
export async function checkServers(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const received: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = await (await rawSockets()).connect(port, (bytes) => {
      received.push(...bytes);
      if (received.length >= RESPONSE.length) resolve();
    });
    socket.write(LIST);
    await promise;
    socket.close();
    if (received.length !== RESPONSE.length || RESPONSE.some((byte, i) => byte !== received[i])) {
      throw new Error(`Unexpected response from the server on port ${port}`);
    }
  }
}

/** Prevents the compiler from removing the work. */
export let result: unknown;
