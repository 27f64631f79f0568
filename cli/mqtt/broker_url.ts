/**
 * Where the broker is, and sentences about why it cannot be used.
 *
 * @module
 */

import { formatAddress } from "@rcsp/rcsp/server";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

const PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

/** A broker. */
export interface BrokerAddress {
  readonly protocol: keyof typeof PORTS;
  readonly host: string;
  readonly port: number;
  /** Of a WebSocket. */
  readonly path: string;
  readonly username?: string;
  readonly password?: string;
}

/**
 * Reads the URL of a broker.
 *
 * @throws {UsageError} If it is not one. The message never holds a password.
 */
export function parseBrokerUrl(text: string, password: string | undefined): BrokerAddress {
  const wrong = (why: string): UsageError =>
    new UsageError(`Invalid broker URL${why}: expected mqtt://HOST, mqtts://, ws:// or wss://`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The text may hold a password.
    throw wrong(text.includes("@") ? "" : ` ${quote(text)}`);
  }
  const protocol = url.protocol.slice(0, -1);
  if (!Object.hasOwn(PORTS, protocol)) throw wrong(`: scheme ${quote(protocol)}`);
  const scheme = protocol as keyof typeof PORTS;
  if (url.hostname === "") throw wrong(" without a host");
  if (url.search !== "" || url.hash !== "") throw wrong(" with '?' or '#'");
  if (!scheme.startsWith("ws") && !["", "/"].includes(url.pathname)) throw wrong(" with a path");
  const part = (encoded: string): string | undefined => {
    try {
      return decodeURIComponent(encoded) || undefined;
    } catch {
      throw wrong(" with a '%' in user or password that is not %25");
    }
  };
  const username = part(url.username);
  const given = part(url.password) ?? (password || undefined);
  if (username === undefined && given !== undefined) {
    throw new UsageError("A password needs a user: mqtt://USER@HOST");
  }
  return {
    protocol: scheme,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? PORTS[scheme] : Number(url.port),
    path: url.pathname === "" ? "/" : url.pathname,
    ...(username !== undefined && { username }),
    ...(given !== undefined && { password: given }),
  };
}

/** `mqtt://localhost:1883`, without user and password. */
export function formatBroker(address: BrokerAddress): string {
  return `${address.protocol}://${formatAddress(address)}`;
}

/** MQTT 3.1.1's and MQTT 5's reasons to refuse a connection or a message that need more than a name. */
const REASONS: Readonly<Record<number, string>> = {
  4: "wrong user or password",
  5: "not authorized: check the user, RCSP_MQTT_PASSWORD and what the broker allows",
  134: "wrong user or password",
  135: "not authorized: check the user, RCSP_MQTT_PASSWORD and what the broker allows",
};
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused. Is a broker running there?",
  ECONNRESET: "it closed the connection",
  EPIPE: "it closed the connection",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "unknown host",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "host unreachable",
  DEPTH_ZERO_SELF_SIGNED_CERT: "TLS: its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "TLS: its certificate comes from an unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "TLS: its certificate comes from an unknown authority",
  CERT_HAS_EXPIRED: "TLS: its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "TLS: its certificate is for another host",
};

/** Why the broker cannot be reached, does not let us in, or refuses a message. */
export function brokerReason(error: unknown): string {
  const { code, message, errors } = error as {
    code?: string | number;
    message?: string;
    errors?: unknown[];
  };
  // Each address of a host has an error of its own.
  if (Array.isArray(errors) && errors.length > 0) return brokerReason(errors[0]);
  if (typeof code === "number" && Object.hasOwn(REASONS, code)) return REASONS[code]!;
  const text = message || String(code ?? error);
  for (const [name, reason] of Object.entries(SYSTEM)) {
    if (code === name || text.includes(name)) return reason;
  }
  return /certificate|tls|ssl|handshake/i.test(text) ? `TLS: ${text}` : text;
}
