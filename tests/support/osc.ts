/** A tool that reads OSC, and a fake one that writes it. */

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { decode } from "node-osc";
import { main } from "../../cli/main.ts";
import { type TestIo, testIo, type TestIoOptions } from "./cli_io.ts";
import { until } from "./wait.ts";

/** A message as `node-osc` reads it. */
export interface OscReceived {
  readonly address: string;
  readonly values: readonly (string | number)[];
}

/** What a tool has got. */
export interface OscTool {
  /** Where it listens. */
  readonly port: number;
  /** Each datagram as it came. */
  readonly datagrams: Uint8Array[];
  /** All messages, those in bundles included. */
  readonly messages: OscReceived[];
  /** Resolves to the first message with an address, once there is one. */
  first(address: string): Promise<OscReceived>;
  /** Sends a datagram from here. */
  send(port: number, datagram: Uint8Array): Promise<void>;
}

type Decoded = ReturnType<typeof decode>;

function flatten(packet: Decoded): OscReceived[] {
  if (packet.oscType === "bundle") {
    return (packet as unknown as { elements: Decoded[] }).elements.flatMap(flatten);
  }
  const { address, args } = packet as unknown as {
    address: string;
    args: { value: string | number }[];
  };
  return [{ address, values: args.map(({ value }) => value) }];
}

/** Runs `use` with a tool, and leaves nothing open. */
export async function withOscTool(use: (tool: OscTool) => Promise<void>): Promise<void> {
  const socket = createSocket("udp4");
  const datagrams: Uint8Array[] = [];
  const messages: OscReceived[] = [];
  socket.on("message", (datagram) => {
    datagrams.push(datagram);
    messages.push(...flatten(decode(Buffer.from(datagram))));
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  try {
    await use({
      port: socket.address().port,
      datagrams,
      messages,
      async first(address) {
        const find = () => messages.find((message) => message.address === address);
        await until(() => find() !== undefined);
        return find()!;
      },
      send: (port, datagram) =>
        new Promise((resolve, reject) => {
          socket.send(datagram, port, "127.0.0.1", (error) => error ? reject(error) : resolve());
        }),
    });
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** Runs `rcsp osc` while `use` does something, then ends it with Ctrl-C; gives its exit code. */
export async function sending(
  tool: { readonly port: number },
  options: TestIoOptions & { args?: string[] },
  use: (io: TestIo) => Promise<void>,
): Promise<number> {
  const { args = [], ...rest } = options;
  const io = testIo(rest);
  const running = main(["osc", `127.0.0.1:${tool.port}`, ...args], io);
  try {
    await Promise.race([
      use(io),
      running.then((code) => {
        throw new Error(`Ended with ${code}: ${io.err}`);
      }),
    ]);
  } finally {
    io.interrupt();
  }
  return await running;
}
