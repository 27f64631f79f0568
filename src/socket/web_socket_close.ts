/**
 * The ends of WebSockets as errors.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { quote } from "../escape.ts";

/** What a WebSocket says at its end. */
export interface CloseInfo {
  /** The close code. */
  readonly code: number;
  /** The reason; may be empty. */
  readonly reason: string;
}

/** Why a WebSocket was closed, other than normally (codes 1000, 1001 and 1005). */
export class WebSocketCloseError extends ConnectionError {
  /** `WebSocketCloseError`. */
  override readonly name: string = "WebSocketCloseError";
  /**
   * The close code: 1006 if the connection was lost without one, 1008 for a policy of the other side, 1009
   * for too much data, 1011 for an error of the server, 4000 to 4999 as the other side defines it.
   */
  readonly closeCode: number;
  /** The other side's reason; may be empty. It is untrusted text. */
  readonly closeReason: string;

  /** `remote` is for the message. */
  constructor(remote: string, { code, reason }: CloseInfo, options?: ErrorOptions) {
    const said = reason === "" ? "" : `: ${quote(reason)}`;
    const meaning = MEANINGS.get(code) ?? "the other side closed it";
    super(
      code === LOST ? "connection-reset" : "connection-failed",
      `Lost connection to ${remote}: ${meaning} (WebSocket close code ${code})${said}`,
      options,
    );
    this.closeCode = code;
    this.closeReason = reason;
  }
}

/** No close message came. */
const LOST = 1006;
/** Normal, going away (a page that is left, a server that stops), no code. */
const NORMAL: readonly number[] = [1000, 1001, 1005];

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [1002, "the other side reports a protocol error"],
  [1003, "the other side does not accept this kind of data"],
  [LOST, "connection reset by the other side"],
  [1007, "the other side cannot read the data"],
  [1008, "the other side does not permit it"],
  [1009, "the other side received more than its limit"],
  [1011, "the other side had an internal error"],
  [1012, "the other side restarts"],
  [1013, "the other side is overloaded"],
]);

/** The error for an end; `undefined` for a normal one. */
export function closeError(
  remote: string,
  { code, reason }: CloseInfo,
  detail: string,
): WebSocketCloseError | undefined {
  if (NORMAL.includes(code)) return undefined;
  // Deno reports a lost connection as 0.
  const info = { code: code === 0 ? LOST : code, reason };
  return new WebSocketCloseError(remote, info, detail === "" ? {} : { cause: new Error(detail) });
}
