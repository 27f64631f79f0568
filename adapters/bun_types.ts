/**
 * The part of Bun's API that the adapter uses: Bun's own types would be a dependency, or global.
 *
 * @module
 */

/** The global `Bun`. */
export interface BunSockets<Data> {
  connect(options: BunOptions<Data>): Promise<BunNativeSocket<Data>>;
  listen(options: BunOptions<Data>): { readonly port: number; stop(): void };
}

/** Options of `Bun.connect` and `Bun.listen`. */
export interface BunOptions<Data> {
  hostname: string;
  port: number;
  allowHalfOpen: boolean;
  socket: {
    open(socket: BunNativeSocket<Data>): void;
    binaryType: "uint8array";
    data(socket: BunNativeSocket<Data>, chunk: Uint8Array): void;
    drain(socket: BunNativeSocket<Data>): void;
    end(socket: BunNativeSocket<Data>): void;
    error(socket: BunNativeSocket<Data>, error: Error): void;
    close(socket: BunNativeSocket<Data>, error?: Error): void;
  };
}

/** A socket of Bun; `data` is ours. */
export interface BunNativeSocket<Data> {
  data: Data;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** Returns the number of accepted bytes: 0 if full, -1 if closed. */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** Ends the writing half; `end()` ends both. */
  shutdown(): void;
  end(): void;
  pause(): void;
  resume(): void;
  setNoDelay(noDelay: boolean): boolean;
  /** `initialDelay` is in milliseconds; Bun uses whole seconds. */
  setKeepAlive(enable: boolean, initialDelay: number): boolean;
}
