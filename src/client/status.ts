/**
 * What a client is about. Free of any runtime.
 *
 * @module
 */

import type { RcspError } from "../errors.ts";

/** What a client is about; `state` tells which. */
export type ClientStatus =
  | {
    /** The first connection is being opened. */
    readonly state: "connecting";
  }
  | {
    /** Connected, and the server has answered every subscription that was made again. */
    readonly state: "ready";
    /** How many times a lost connection was replaced. */
    readonly reconnects: number;
    /** Milliseconds since the connection before was lost: events may be missing. 0 at the first. */
    readonly gap: number;
  }
  | {
    /** The connection was lost, or did not come about. */
    readonly state: "reconnecting";
    /** Which attempt comes next; 1 is the first. */
    readonly attempt: number;
    /** Milliseconds until that attempt. */
    readonly delay: number;
    /** Why. */
    readonly cause: RcspError;
  }
  | {
    /** There will be no connection any more. */
    readonly state: "closed";
    /** Why; `undefined` after `close()` or `drain()`. */
    readonly cause: RcspError | undefined;
  };
