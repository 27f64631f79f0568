/**
 * Datagrams: a socket that sends to one address, and one that receives.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv6 } from "node:net";
import { formatAddress } from "@rcsp/rcsp/server";
import { EXIT, Failure, systemReason } from "../exit_codes.ts";

/** Datagrams that the system has not taken yet; beyond, they are dropped. */
const MOST_PENDING = 200;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Sends datagrams. A lost one is lost: that is what streams of poses want. */
export class UdpSender {
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #onError: (error: Error) => void;
  #pending = 0;
  #sent = 0;
  #dropped = 0;
  #idle: (() => void) | undefined;

  /** Made by `openSender()`. */
  constructor(socket: Socket, address: Address, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#address = address;
    this.#onError = onError;
    socket.on("error", onError);
  }

  /** How many datagrams were handed to the system, and how many dropped. */
  get stats(): { readonly sent: number; readonly dropped: number } {
    return { sent: this.#sent, dropped: this.#dropped };
  }

  send(datagram: Uint8Array): void {
    if (this.#pending >= MOST_PENDING) return void this.#dropped++;
    this.#pending++;
    const { host, port } = this.#address;
    this.#socket.send(datagram, port, host, (error) => {
      this.#pending--;
      if (error) this.#onError(error);
      else this.#sent++;
      if (this.#pending === 0) this.#idle?.();
    });
  }

  /** Sends what is pending, and closes. */
  async close(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle = resolve);
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
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
    throw new Failure(
      `Cannot send to ${formatAddress({ host, port })}: unknown host`,
      EXIT.connection,
      {
        cause,
      },
    );
  });
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, () => {
      socket.off("error", reject);
      resolve();
    });
  });
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
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  socket.on("message", onDatagram);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, resolve);
  }).catch((cause) => {
    // Bun does not number it.
    const isUsed = (cause as { code?: string }).code === "EADDRINUSE";
    const reason = isUsed ? "address already in use" : systemReason(cause);
    socket.close();
    throw new Failure(
      `Cannot listen on ${formatAddress({ host, port })}: ${reason}`,
      EXIT.connection,
      {
        cause,
      },
    );
  });
  socket.on("error", () => {});
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
