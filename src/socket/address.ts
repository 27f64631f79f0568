/**
 * Addresses as arguments and in words.
 *
 * @module
 */

import type { Address } from "./socket.ts";

const LAST_PORT = 65_535;

/** An address in words: `127.0.0.1:45451`, `[::1]:45451`. */
export function formatAddress(address: Address): string {
  const { host, port } = bareAddress(address);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The address with an IPv6 host out of its brackets: `[::1]`, as in a URL, is `::1`. */
export function bareAddress({ host, port }: Address): Address {
  return { host: /^\[[^[\]]*:[^[\]]*\]$/.test(host) ? host.slice(1, -1) : host, port };
}

/**
 * Checks where to connect to, the same on every runtime; returns the bare address.
 *
 * Throws a `TypeError` unless `host` is a string with something in it, and a `RangeError` unless
 * `port` is an integer from 1 to 65535.
 */
export function connectAddress(address: Address): Address {
  checkHost("connect", address.host);
  checkPort("connect", address.port, 1);
  return bareAddress(address);
}

/**
 * The address to listen on: `127.0.0.1` and any free port (0) unless told.
 *
 * Throws a `TypeError` unless `host` is a string with something in it, and a `RangeError` unless
 * `port` is an integer from 0 to 65535.
 */
export function listenAddress(options: Partial<Address> = {}): Address {
  const { host = "127.0.0.1", port = 0 } = options;
  checkHost("listen", host);
  checkPort("listen", port, 0);
  return bareAddress({ host, port });
}

function checkHost(action: string, host: unknown): void {
  if (typeof host === "string" && host !== "") return;
  throw new TypeError(
    `Cannot ${action} as 'host' must be a host name or an IP address: current value is ${
      host === "" ? "''" : String(host)
    }`,
  );
}

function checkPort(action: string, port: unknown, first: number): void {
  if (Number.isInteger(port) && Number(port) >= first && Number(port) <= LAST_PORT) return;
  throw new RangeError(
    `Cannot ${action} as 'port' must be an integer from ${first} to ${LAST_PORT}: ` +
      `current value is ${String(port)}`,
  );
}
