/** What passes between the clients and the servers of the end-to-end bench, byte for byte. */

import { concat } from "@std/bytes";
import type { JsonObject } from "../../mod.ts";
import { encodeFrame, PayloadType } from "../../src/wire/mod.ts";

/** One device, so that a response takes about 190 bytes. */
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

/** Events that one command `Flood` brings; several such commands are under way at a time. */
export const FLOOD_EVENTS = 1024;
/** What each event says: 200 bytes, by the dialect that this module assumes. */
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

/** The bytes of the events that one `Flood` brings. */
export const FLOOD: Uint8Array = concat(Array<Uint8Array>(FLOOD_EVENTS).fill(EVENT));

/** The JSON of a command without arguments, as clients send it. */
export function commandJson(name: string, trackId: string): string {
  return `{"Command":"${name}","TrackId":"${trackId}","Version":1}`;
}

/** What stands before and after the `TrackId` in a command's body. */
export function aroundTrackId(name: string): [before: string, after: string] {
  const [before, after] = commandJson(name, "?").split("?");
  return [before!, after!];
}

/** The JSON of a response to `ListDevices`. */
export function responseJson(trackId: string): string {
  return JSON.stringify({ TrackId: trackId, Response: DEVICES });
}
