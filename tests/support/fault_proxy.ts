/**
 * A proxy between a client and a server on real sockets that knows the protocol and injects faults.
 * It uses `node:net`, which can reset a connection in all three runtimes.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Address } from "../../src/socket/socket.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encoder.ts";
import { PayloadType } from "../../src/wire/header.ts";

/** Faults of one direction of one connection. Counts start with the connection. */
export interface ProxyFaults {
  /** Delay before each chunk, in milliseconds. */
  readonly delay?: number;
  /** Maximum bytes per write. */
  readonly slice?: number;
  /** Closes both sides after this many bytes. */
  readonly cutAfterBytes?: number;
  /** Closes both sides after this many frames. */
  readonly cutAfterFrames?: number;
  /** Resets the receiver's connection after this many bytes. */
  readonly resetAfterBytes?: number;
  /** Forwards nothing after this many bytes; the connection stays open. */
  readonly stallAfterBytes?: number;
  /** Half-closes this direction after this many frames. */
  readonly halfCloseAfterFrames?: number;
  /** Drops the response with this index (0 is the first). */
  readonly dropResponse?: number;
  /** Duplicates the response with this index. */
  readonly duplicateResponse?: number;
  /** Changes the byte at this offset. */
  readonly corruptByte?: number;
}

/** Faults of the two directions of one connection. */
export interface ConnectionFaults {
  /** From the client to the server. */
  readonly up?: ProxyFaults;
  /** From the server to the client. */
  readonly down?: ProxyFaults;
}

export class FaultProxy {
  /** Number of connections so far. */
  connections = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  constructor(target: Address, plan: (connection: number) => ConnectionFaults) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#join(client, target, plan(this.connections++));
    });
  }

  /** Starts a proxy on a free port; `plan` is called for each connection, with 0 for the first. */
  static start(
    target: Address,
    plan: (connection: number) => ConnectionFaults = () => ({}),
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, plan);
    return new Promise((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve(proxy));
    });
  }

  get address(): Address {
    const { address: host, port } = this.#server.address() as AddressInfo;
    return { host, port };
  }

  /** Ends all open connections, by a reset or a normal end; new ones are still accepted. */
  cutAll(how: "close" | "reset"): void {
    for (const [client, server] of this.#pairs) {
      if (how === "reset") client.resetAndDestroy();
      else client.destroy();
      server.destroy();
    }
  }

  /** Stops listening and ends all connections. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.cutAll("close");
    });
  }

  #join(client: Socket, target: Address, faults: ConnectionFaults): void {
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    new Direction(client, server, faults.up ?? {});
    new Direction(server, client, faults.down ?? {});
  }
}

/** Forwards the bytes of one direction. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: ProxyFaults;
  readonly #decoder = new FrameDecoder();
  #frames = 0;
  #responses = 0;
  #bytes = 0;
  #stopped = false;
  #work: Promise<void> = Promise.resolve();

  constructor(from: Socket, to: Socket, faults: ProxyFaults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    from.on("data", (chunk) => {
      from.pause();
      this.#work = this.#work.then(() => this.#carry(chunk as Uint8Array)).then(
        () => void from.resume(),
        () => {},
      );
    });
    from.on("end", () => {
      this.#work = this.#work.then(() => void this.#stop(() => to.end()));
    });
  }

  async #carry(chunk: Uint8Array): Promise<void> {
    const { delay } = this.#faults;
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay));
    const out: Uint8Array[] = [];
    // Decode frames only if a fault concerns single frames.
    if (this.#byFrames) {
      this.#decoder.push(chunk, (type, payload) => this.#take(out, type, payload));
    } else out.push(chunk);
    for (const bytes of out) await this.#send(bytes);
    const { cutAfterFrames, halfCloseAfterFrames } = this.#faults;
    if (this.#frames >= (cutAfterFrames ?? Infinity)) this.#stop(() => this.#from.destroy());
    if (this.#frames >= (halfCloseAfterFrames ?? Infinity)) this.#stop(() => this.#to.end());
  }

  get #byFrames(): boolean {
    const { cutAfterFrames, halfCloseAfterFrames, dropResponse, duplicateResponse } = this.#faults;
    return [cutAfterFrames, halfCloseAfterFrames, dropResponse, duplicateResponse]
      .some((at) => at !== undefined);
  }

  #take(out: Uint8Array[], type: PayloadType, payload: Uint8Array): void {
    const { cutAfterFrames, halfCloseAfterFrames, dropResponse, duplicateResponse } = this.#faults;
    if (this.#frames >= Math.min(cutAfterFrames ?? Infinity, halfCloseAfterFrames ?? Infinity)) {
      return;
    }
    this.#frames++;
    const response = type === PayloadType.ResponseOk || type === PayloadType.ResponseError;
    const number = response ? this.#responses++ : undefined;
    if (number === dropResponse && response) return;
    const frame = encodeFrame(type, payload);
    out.push(frame);
    if (number === duplicateResponse && response) out.push(frame);
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { slice = Infinity, cutAfterBytes, resetAfterBytes, stallAfterBytes } = this.#faults;
    const end = Math.min(
      cutAfterBytes ?? Infinity,
      resetAfterBytes ?? Infinity,
      stallAfterBytes ?? Infinity,
    );
    for (let at = 0; at < bytes.length && !this.#stopped;) {
      const length = Math.min(bytes.length - at, slice, end - this.#bytes);
      if (length > 0) await this.#write(bytes.slice(at, at + length));
      at += length;
      if (this.#bytes < end) continue;
      if (end === resetAfterBytes) this.#stop(() => this.#to.resetAndDestroy());
      else if (end === cutAfterBytes) this.#stop(() => this.#from.destroy());
      else this.#stop(() => {});
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    const { corruptByte } = this.#faults;
    const index = (corruptByte ?? -1) - this.#bytes;
    if (index in bytes) bytes[index]! ^= 0xff;
    this.#bytes += bytes.length;
    return new Promise((resolve, reject) => {
      this.#to.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  /** Forwards nothing from now on. */
  #stop(how: () => void): void {
    if (this.#stopped) return;
    this.#stopped = true;
    how();
  }
}
