/**
 * The limits of `rcsp ui`: what a page, or another program on the machine, may use.
 *
 * @module
 */

/** Times in milliseconds, sizes in bytes. */
export const UI_LIMITS = {
  /** Maximum size of a request's head. */
  head: 8 * 1024,
  /** From the connection to the end of the request's head. */
  handshakeTimeout: 5_000,
  /** From the end of the request's head until the response is received. */
  responseTimeout: 30_000,
  /** Maximum number of connections, those included that have not sent a request yet. */
  connections: 128,
  /** Maximum size of an incoming WebSocket message. */
  message: 64 * 1024,
  /** Maximum number of pages; each has at most one WebSocket per path. */
  pages: 8,
  /** Interval of pings; a page that has not answered the one before is closed. */
  pingInterval: 20_000,
  /** Unsent bytes at which a page is closed. */
  unsent: 1024 * 1024,
  /** How much of that `fromWebSocket()` lets wait in the WebSocket itself. */
  unsentInWebSocket: 64 * 1024,
  /** Unread bytes at which a page is closed: it sends commands faster than they are answered. */
  unread: 1024 * 1024,
  /** Unanswered commands at which no more are read from a page. */
  commands: 64,
  /** How long the last responses may take when the bridge ends. */
  closeTimeout: 500,
} as const;
