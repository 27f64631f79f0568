/**
 * HTTP responses, with the headers that every one of them has.
 *
 * @module
 */

import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { PageFile } from "../page_files.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** One request per connection: so a connection has one deadline. */
const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
  "Connection": "close",
};

/** Without text of the request: the log has it. */
const SENTENCES: Readonly<Record<number, string>> = {
  400: "The request is invalid.",
  401: "The token is missing or wrong. Open the address that 'rcsp ui' has printed.",
  403: "This address or origin is not allowed. See --allow-host and --allow-origin of 'rcsp ui'.",
  404: "No such page.",
  405: "Only GET and HEAD are allowed.",
  408: "The request took too long.",
  431: "The head of the request is too long.",
  503: "Too many pages are open. Close one and try again.",
};

/** Sends a file. */
export function sendFile(response: ServerResponse, { type, body }: PageFile): void {
  send(response, 200, type, body);
}

/** Sends an error. */
export function sendRefusal(response: ServerResponse, status: number): void {
  if (status === 405) response.setHeader("Allow", "GET, HEAD");
  send(response, status, "text/plain; charset=utf-8", new TextEncoder().encode(text(status)));
}

/** Sends an error on a socket that has no response object, and ends it. */
export function refuseSocket(socket: Duplex, status: number): void {
  const body = text(status);
  const headers = {
    ...HEADERS,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": `${body.length}`,
    ...(status === 405 ? { "Allow": "GET, HEAD" } : {}),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines].join("\r\n");
  socket.end(`${head}\r\n\r\n${body}`);
}

function send(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": type, "Content-Length": body.length });
  // Without the body for HEAD: `node:http` leaves it out.
  response.end(body);
}

function text(status: number): string {
  return `${SENTENCES[status] ?? STATUS_CODES[status]}\n`;
}
