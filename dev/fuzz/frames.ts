/** Valid frames as a starting point, built without the encoder of `src/`. */

import { concat } from "@std/bytes";

const encoder = new TextEncoder();

/** A valid frame. */
export function frame(type: number, body: string | Uint8Array): Uint8Array {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const header = Uint8Array.of(0xdc, 1, 8, type, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(4, bytes.length, true);
  return concat([header, bytes]);
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bodies of every known shape. */
export const BODIES: readonly string[] = [
  '{"Command":"ListDevices","TrackId":"1","Version":1}',
  '{"Command":"SetColorLed","TrackId":"2","Version":1,"Arguments":{"DeviceId":1,"Red":255}}',
  '{"TrackId":"1","Response":{"Devices":[{"DeviceId":1},{"DeviceId":"1","Name":"Gerät \u{1f9e4}"}]}}',
  '{"TrackId":"2"}',
  '{"TrackId":null,"Response":null}',
  '{"TrackId":"3","Error":{"Code":17,"Message":"no such device"}}',
  '{"Error":null}',
  '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":1,"Data":{"PressType":"LongPress"}}',
  '{"a":[[[[{"b":[1,-0,1e400,0.1,9007199254740993]}]]]],"c":"\\ud800\\u0000"}',
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{}},"then":1,"toJSON":2}',
  "{}",
  "[]",
  "",
];
