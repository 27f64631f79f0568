/**
 * What an adapter has to do; the rules of a socket are kept by `guarded_socket.ts`.
 *
 * Free of any runtime.
 *
 * @module
 */

/** A connected byte stream without any manners. Rejects with whatever the runtime has. */
export interface RawSocket {
  /** The next chunk, never empty, or `null` at the end. Called once at a time, not after `close()`. */
  read(): Promise<Uint8Array | null>;
  /**
   * Takes all bytes; resolves when more may come, or gives {@linkcode TAKEN} where that is so already.
   * Called once at a time, not after an end.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this side's half. Called once, when no write waits. */
  closeWrite(): Promise<void>;
  /** Ends all. What waits need not settle. May be called twice; never throws. */
  close(): void;
  /** Resolves when the socket is gone, also by itself. Never rejects. */
  readonly closed: Promise<void>;
  /** The other end in words. */
  readonly remote: string;
}

/** What a `write()` gives that is through before it returns: it spares every promise on the way. */
export const TAKEN: Promise<void> = Promise.resolve();
