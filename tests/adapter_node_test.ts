import { assertStrictEquals } from "@std/assert";
import { Socket as NetSocket } from "node:net";
import * as node from "../adapters/node.ts";
import type { Socket } from "../src/socket.ts";
import { encode, withJoined } from "./support/adapters.ts";
import { test } from "./support/test.ts";

test("node: nothing is paused or resumed while the reader keeps up", async () => {
  await withJoined({ name: "node", ...node }, async ({ client, server }) => {
    const ping = encode("ping");
    const { pause, resume } = NetSocket.prototype;
    let calls = 0;
    const counted = <T extends typeof pause>(real: T) =>
      function (this: NetSocket): NetSocket {
        calls++;
        return real.call(this);
      };
    NetSocket.prototype.pause = counted(pause);
    NetSocket.prototype.resume = counted(resume);
    try {
      // The read stands before the write, as a client's does.
      const echoing = pingPong(server, ping, 200);
      let reading = client.read();
      for (let i = 0; i < 200; i++) {
        await client.write(ping);
        await reading;
        reading = client.read();
      }
      await echoing;
      assertStrictEquals(calls, 0);
      client.close();
      await reading;
    } finally {
      NetSocket.prototype.pause = pause;
      NetSocket.prototype.resume = resume;
    }
  });
});

async function pingPong(socket: Socket, ping: Uint8Array, rounds: number): Promise<void> {
  let reading = socket.read();
  for (let i = 0; i < rounds; i++) {
    await reading;
    reading = socket.read();
    await socket.write(ping);
  }
}
