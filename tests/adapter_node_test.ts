import { assertStrictEquals } from "@std/assert";
import { Socket as NetSocket } from "node:net";
import * as node from "../adapters/node.ts";
import { receive, type Socket } from "../src/socket/socket.ts";
import { encode, toAdapter, withJoined } from "./support/adapters.ts";
import { test } from "./support/test.ts";

test("node: the socket is not paused while the receiver keeps up", async () => {
  await withJoined(toAdapter("node", node), async ({ client, server }) => {
    const ping = encode("ping");
    const { pause } = NetSocket.prototype;
    let pauses = 0;
    NetSocket.prototype.pause = function (this: NetSocket): NetSocket {
      pauses++;
      return pause.call(this);
    };
    try {
      await pingPong(client, server, ping, 200);
      assertStrictEquals(pauses, 0);
    } finally {
      NetSocket.prototype.pause = pause;
    }
  });
});

function pingPong(
  client: Socket,
  server: Socket,
  ping: Uint8Array,
  rounds: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const receiver = (socket: Socket, onPing: () => boolean) => ({
      onChunk: () => {
        if (onPing()) socket.write(ping).catch(reject);
        return true;
      },
      onEnd: () => reject(new Error("The other side has ended")),
      onError: reject,
    });
    receive(server, receiver(server, () => true));
    receive(
      client,
      receiver(client, () => {
        if (--rounds === 0) resolve();
        return rounds > 0;
      }),
    );
    client.write(ping).catch(reject);
  });
}
