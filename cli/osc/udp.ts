/**
 * Datagrams: a socket that sends to one address, and one that receives. The `Client` of node-osc looks
 * its host up for each datagram, in IPv4 only, and lets any number wait; its `Server` reads what it gets
 * without bounds.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { Address } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import { EXIT, Failure, systemReason } from "../exit_codes.ts";

/** Datagrams that the system has not taken yet; beyond, they are dropped. */
const MOST_PENDING = 200;

/** Sends datagrams. A lost one is lost: that is what streams of poses want. */
export class UdpSender {
  /** How many datagrams were handed to the system. */
  sent = 0;
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #onError: (error: Error) => void;
  #pending = 0;
  #idle: (() => void) | undefined;

  /** Made by `openSender()`. */
  constructor(socket: Socket, address: Address, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#address = address;
    this.#onError = onError;
    socket.on("error", onError);
  }

  send(datagram: Uint8Array): void {
    if (this.#pending >= MOST_PENDING) return;
    this.#pending++;
    const { host, port } = this.#address;
    this.#socket.send(datagram, port, host, (error) => {
      this.#pending--;
      if (error) this.#onError(error);
      else this.sent++;
      if (this.#pending === 0) this.#idle?.();
    });
  }

  /** Sends what is pending, and closes. */
  async close(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle = resolve);
    await closed(this.#socket);
  }
}

/**
 * Opens a socket that sends to one address.
 *
 * @throws {Failure} If the host is not known.
 */
export async function openSender(
  { host, port }: Address,
  onError: (error: Error) => void,
): Promise<UdpSender> {
  // Found once, not for each datagram.
  const { address } = await lookup(host.replace(/^\[(.*)\]$/, "$1")).catch((cause) => {
    const name = formatAddress({ host, port });
    throw new Failure(`Cannot send to ${name}: unknown host`, EXIT.connection, { cause });
  });
  const socket = await bind({ host: address, port: 0 }, undefined);
  return new UdpSender(socket, { host: address, port }, onError);
}

/**
 * Receives datagrams; resolves to what closes the socket, and the port.
 *
 * @throws {Failure} If the port cannot be used.
 */
export async function receiveUdp(
  { host, port }: Address,
  onDatagram: (datagram: Uint8Array) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const socket = await bind({ host, port }, host).catch((cause) => {
    // Bun does not number it.
    const isUsed = (cause as { code?: string }).code === "EADDRINUSE";
    const reason = isUsed ? "address already in use" : systemReason(cause);
    const name = formatAddress({ host, port });
    throw new Failure(`Cannot listen on ${name}: ${reason}`, EXIT.connection, { cause });
  });
  socket.on("message", onDatagram);
  socket.on("error", () => {});
  return { port: socket.address().port, close: () => closed(socket) };
}

/** A socket for the family of `host`, bound to `local` or to all addresses. */
async function bind({ host, port }: Address, local: string | undefined): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const listening = once(socket, "listening");
  socket.bind(port, local);
  try {
    await listening;
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
