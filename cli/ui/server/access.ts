/**
 * Who may reach the bridge: the `Host`, `Origin` and token of a request.
 *
 * @module
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { quote } from "../../text/values.ts";

/** Names of the loopback interface, as a browser writes them. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
/** Browsers leave it out. */
const HTTP_PORT = 80;
const TOKEN_BYTES = 32;
const TOKEN_PROTOCOL = "token.";

/** Why a request is refused. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** For the log; may contain text of the request, quoted. */
  readonly reason: string;
}

/** What is allowed besides the loopback names. */
export interface AccessOptions {
  /** The port that the server listens on. */
  readonly port: number;
  /** Further values of `Host`; without a port, also with `port`. */
  readonly allowHosts?: readonly string[] | undefined;
  /** Further values of `Origin`. */
  readonly allowOrigins?: readonly string[] | undefined;
  readonly token: string;
}

/** Returns a new token. */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/**
 * Checks requests. A name that an attacker has rebound to 127.0.0.1 reaches the server, with a `Host` and an
 * `Origin` of that name: so both are compared with fixed lists, never with each other.
 */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #tokenHash: Uint8Array;

  constructor({ port, allowHosts = [], allowOrigins = [], token }: AccessOptions) {
    const withPort = (host: string): string[] => [
      `${host}:${port}`,
      ...(port === HTTP_PORT ? [host] : []),
    ];
    const own = [
      ...LOOPBACK.flatMap(withPort),
      ...allowHosts.flatMap((host) => hasPort(host) ? [host] : [host, ...withPort(host)]),
    ];
    this.#hosts = new Set(own);
    this.#origins = new Set([...own.map((host) => `http://${host}`), ...allowOrigins]);
    this.#tokenHash = sha256(token);
  }

  /** Whether a page at this `host:port` could reach the server. */
  allowsHost(host: string): boolean {
    return this.#hosts.has(host);
  }

  /** For pages and upgrades alike, before anything else. */
  checkSource(request: IncomingMessage): Refusal | undefined {
    const hosts = headerValues(request, "host");
    const [host] = hosts;
    if (host === undefined || hosts.length > 1) {
      return { status: 400, reason: `it has ${hosts.length} 'Host' headers` };
    }
    if (!this.#hosts.has(host)) {
      return { status: 403, reason: `'Host' ${quote(host)} is not allowed` };
    }
    const refused = headerValues(request, "origin").find((origin) => !this.#origins.has(origin));
    if (refused === undefined) return undefined;
    return { status: 403, reason: `'Origin' ${quote(refused)} is not allowed` };
  }

  /** For upgrades: the token, then the sub-protocol. */
  checkProtocols(request: IncomingMessage, protocol: string): Refusal | undefined {
    const offered = headerValues(request, "sec-websocket-protocol")
      .flatMap((value) => value.split(","))
      .map((value) => value.trim());
    const tokens = offered.filter((value) => value.startsWith(TOKEN_PROTOCOL));
    const [token] = tokens;
    if (token === undefined) return { status: 401, reason: "no token" };
    // Hashes have the same length, and tell nothing about how much of a guess is right.
    const isRight = tokens.length === 1 &&
      timingSafeEqual(sha256(token.slice(TOKEN_PROTOCOL.length)), this.#tokenHash);
    if (!isRight) return { status: 401, reason: "wrong token" };
    if (offered.includes(protocol)) return undefined;
    return { status: 400, reason: `the sub-protocol '${protocol}' is not offered` };
  }
}

/** All values of a header: `request.headers` keeps only the first of some. */
function headerValues({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host) && !host.endsWith("]");
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
