/** The messages of the end-to-end bench, byte for byte the same for all clients and servers. */

import { concat } from "@std/bytes";
import type { JsonObject } from "../../mod.ts";
import { encodeFrame, PayloadType } from "../../src/wire/mod.ts";

/** One device, so that a response has about 190 bytes. */
export const DEVICES: JsonObject = {
  Devices: [{
    DeviceId: 1,
    Name: "Right glove",
    Type: "Smartgloves",
    Firmware: "2.4.1",
    Serial: "RKG-2024-000417",
    Battery: 0.87,
    Charging: false,
  }],
};

/** Number of events that one `Flood` command triggers. */
export const FLOOD_EVENTS = 1024;
/** Number of `Flood` commands in flight, so that the client never waits for the next one. */
export const FLOODS = 4;
/** The JSON of each event: 200 bytes in the default dialect. */
export const EVENT_JSON: string = JSON.stringify({
  Publisher: "DeviceEvents",
  Topic: "ButtonPushed",
  DeviceId: 1,
  Data: {
    PressType: "SinglePress",
    Button: "Main",
    Timestamp: 1_700_000_000_125,
    Firmware: "2.4.1",
    Serial: "RKG-2024-000417",
    Battery: 87,
  },
});

const EVENT: Uint8Array = encodeFrame(PayloadType.Event, EVENT_JSON);

/** The events of one `Flood`, encoded. */
export const FLOOD: Uint8Array = concat(Array<Uint8Array>(FLOOD_EVENTS).fill(EVENT));

/** The JSON of a command without arguments. */
export function commandJson(name: string, trackId: string): string {
  return `{"Command":"${name}","TrackId":"${trackId}","Version":1}`;
}

/** The JSON of a response to `ListDevices`. */
export function responseJson(trackId: string): string {
  return JSON.stringify({ TrackId: trackId, Response: DEVICES });
}
