/**
 * Validation and formatting of addresses.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";
import type { Address } from "./socket.ts";

const LAST_PORT = 65_535;

/** Formats an address: `127.0.0.1:45451`, `[::1]:45451`. */
export function formatAddress(address: Address): string {
  const { host, port } = bareAddress(address);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Removes the brackets of an IPv6 host: `[::1]`, as in a URL, becomes `::1`. */
export function bareAddress({ host, port }: Address): Address {
  return { host: /^\[[^[\]]*:[^[\]]*\]$/.test(host) ? host.slice(1, -1) : host, port };
}

/**
 * Validates the address to connect to; returns it without brackets.
 *
 * Throws a `TypeError` unless `host` is a string that is not empty, and a `RangeError` unless
 * `port` is an integer from 1 to 65535.
 */
export function connectAddress(address: Address): Address {
  checkHost("connect", address.host);
  assertInteger("port", address.port, 1, LAST_PORT, "Cannot connect as ");
  return bareAddress(address);
}

/**
 * Validates the address to listen on, by default `127.0.0.1` and any free port (0).
 *
 * Throws a `TypeError` unless `host` is a string that is not empty, and a `RangeError` unless
 * `port` is an integer from 0 to 65535.
 */
export function listenAddress(options: Partial<Address> = {}): Address {
  const { host = "127.0.0.1", port = 0 } = options;
  checkHost("listen", host);
  assertInteger("port", port, 0, LAST_PORT, "Cannot listen as ");
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
