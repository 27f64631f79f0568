/** What was recorded is replayed byte for byte. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import type { Socket } from "../src/socket/socket.ts";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { rcsp } from "./support/cli_io.ts";
import { command, concat, ERROR, EVENT, frame, OK } from "./support/raw_client.ts";
import {
  entry,
  pair,
  read,
  recording,
  SUBSCRIBE,
  withProxy,
  withReplay,
} from "./support/recordings.ts";
import { test } from "./support/test.ts";

async function frames(socket: Socket, count: number): Promise<Uint8Array[]> {
  const decoder = new FrameDecoder();
  const found: Uint8Array[] = [];
  while (found.length < count) {
    decoder.push((await socket.read())!, (type, payload) => found.push(frame(type, payload)));
  }
  return found;
}

// Each as a driver may send it; TrackId 1 stands where "§" is.
const bodies: [what: string, body: string][] = [
  ["numbers beyond 2^53", '{"TrackId":§,"DeviceId":9007199254740993,"Min":-9223372036854775808}'],
  ["numbers as they were written", '{"TrackId":§,"a":1.0,"b":1e2,"c":-0,"d":0.10,"e":1e999}'],
  ["keys in their order", '{"b":1,"2":2,"1":3,"TrackId":§}'],
  ["a key that stands twice", '{"a":1,"TrackId":"0","a":2,"TrackId":§}'],
  ["white space", '  {\r\n\t"TrackId" : §,\n\t"a" : [ 1 , 2 ]\n}\n'],
  ["escapes that are not needed", '{"TrackId":§,"\\u0061":"\\/\\u00e4","n":"\\\\"}'],
  ["what steers a terminal", '{"TrackId":§,"a":"\u202e\u{1f9d1}\u200d\u{1f680}\ue000"}'],
  ["what looks like a TrackId", '{"a":"\\"TrackId\\":\\"1\\"","b":{"TrackId":"1"},"TrackId":§}'],
  ["a TrackId among others, spelled in escapes", '{"Meta":[{"Track":"1"}],"\\u0054rackId":§}'],
];

for (const [what, body] of bodies) {
  test(`replay sends byte for byte what was recorded: ${what}`, async () => {
    const bytes = (type: number, trackId: string): Uint8Array =>
      frame(type, body.replace("§", `"${trackId}"`));
    let recorded = "";
    await withProxy(async (proxied) => {
      const [client, driver] = await pair(proxied);
      const subscribe = command("1", "DeviceSubscribe", SUBSCRIBE);
      const [answer, event] = [bytes(OK, "1"), bytes(EVENT, "1")];
      const [asked, refusal] = [command("1", "Other"), bytes(ERROR, "1")];
      await client.write(concat(subscribe, asked));
      await read(driver, subscribe.length + asked.length);
      await driver.write(concat(answer, refusal, event));
      await read(client, answer.length + refusal.length + event.length);
      await proxied.end();
      recorded = String(proxied.io.files.get("out"));
    });
    await withReplay(recorded, async ({ join }) => {
      const { socket } = await join();
      for (
        const [sent, ...expected] of [
          [command("23", "Other"), bytes(ERROR, "23")],
          [command("ä", "DeviceSubscribe", SUBSCRIBE), bytes(OK, "ä"), bytes(EVENT, "1")],
        ] as [Uint8Array, ...Uint8Array[]][]
      ) {
        await socket.write(sent);
        assertEquals(await frames(socket, expected.length), expected);
      }
    }, ["--speed", "max"]);
  });
}

test("replay accepts the body of a line wherever it stands in it", async () => {
  const line = '{"x":{"body":{"Hello":1}}, "body" : {"Hello":18446744073709551615} ,' +
    '"direction":"in","connection":1,"type":"event","time":1}';
  await withReplay(recording(line), async ({ join }) => {
    const { socket } = await join();
    assertEquals(await frames(socket, 1), [frame(EVENT, '{"Hello":18446744073709551615}')]);
  });
});

test("replay refuses an exact text that is not JSON", async () => {
  for (const text of ["{", '{"a":"', "5", ""]) {
    const line = entry(1, "event", {}).replace(/\}$/, `,"text":${JSON.stringify(text)}}`);
    const { listen } = memoryNetwork();
    const result = await rcsp(["replay", "in"], { listen, files: { in: recording(line) } });
    assertEquals(result.code, 2);
    assertStringIncludes(result.err, "line 2 is wrong: 'text' is not a JSON object");
  }
});
