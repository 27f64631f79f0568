/** What the processes of the end-to-end bench tell each other. */

/** What a client does: sends commands, or receives events. */
export type Work = "commands" | "events";

/** Ports of the servers. */
export interface Ports {
  /** A server that does almost nothing, so that the client is measured. */
  readonly plain: number;
  /** `RcspServer`. */
  readonly ours: number;
}

/** A task for the client process. */
export interface Task {
  readonly work: Work;
  /** Name of the client. */
  readonly client: string;
  /** Number of commands or events. */
  readonly count: number;
  /** Number of commands in flight. */
  readonly outstanding: number;
}

/** A connected client: does `count` units of work with `outstanding` commands in flight. */
export type Client = (count: number, outstanding: number) => Promise<void>;
