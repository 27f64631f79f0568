/**
 * What a client counts. Free of any runtime.
 *
 * @module
 */

/** What a client has counted since it was made, and what waits now. */
export interface ClientStats {
  /** Commands handed to a socket. */
  readonly sent: number;
  /** Responses ok that reached their caller. */
  readonly answered: number;
  /** Responses error that reached their caller. */
  readonly failed: number;
  /** Calls that ended by their timeout. */
  readonly timedOut: number;
  /** Responses that came after their caller had gone, and were dropped. */
  readonly late: number;
  /** Events received. */
  readonly events: number;
  /** Events among them that nobody listened to: dropped unread. */
  readonly unmatched: number;
  /** Events whose body could not be read: dropped, and told to `onBadEvent`. */
  readonly unreadable: number;
  /** Events let go by the full buffers of subscriptions. */
  readonly dropped: number;
  /** Bytes written to sockets. */
  readonly bytesSent: number;
  /** Bytes read from sockets. */
  readonly bytesReceived: number;
  /** How many times a lost connection was replaced. */
  readonly reconnects: number;
  /** Smoothed time from call to response in milliseconds; `undefined` before the first response. */
  readonly roundTrip: number | undefined;
  /** Calls that wait to be sent. */
  readonly queued: number;
  /** Commands sent whose response has not come, those given up included. */
  readonly inFlight: number;
}
