/**
 * Child process for the tests that closed sockets let a process exit: `<adapter> close|closeWrite`.
 */

import process from "node:process";
import type { Connector, Listen, Socket } from "../../src/socket/socket.ts";

const [adapter, end] = process.argv.slice(2);
const { connector, listen }: { connector: Connector; listen: Listen } = await import(
  `../../adapters/${adapter}.ts`
);

const accepted = Promise.withResolvers<Socket>();
const listener = await listen({}, accepted.resolve);
const client = await connector(listener.address, { signal: new AbortController().signal });
const server = await accepted.promise;
await client.write(new Uint8Array(100));
await server.read();
const reading = client.read();
if (end === "close") {
  client.close();
  server.close();
} else {
  await Promise.all([client.closeWrite(), server.closeWrite()]);
  await server.read();
}
await reading;
await listener.close();
await Promise.all([client.closed, server.closed]);
console.log("all closed");
