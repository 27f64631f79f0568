/**
 * The flags that several commands have.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { type Flag, LONGEST_TIMER } from "./parse.ts";

/** What every command has. */
export const GENERAL_FLAGS: readonly Flag[] = [
  { name: "no-color", kind: "boolean", about: "no colors; also if NO_COLOR is not empty" },
  { name: "help", short: "h", kind: "boolean", about: "show help" },
];

/** A dialect file. */
export const DIALECT_FLAG: Flag = {
  name: "dialect",
  kind: "text",
  value: "FILE",
  about: "JSON with names that differ from the assumed ones",
  env: "RCSP_DIALECT",
};

/** Which server, and how long to wait for it. */
export const CONNECTION_FLAGS: readonly Flag[] = [
  {
    name: "host",
    kind: "text",
    value: "NAME",
    about: "where the driver runs",
    default: "localhost",
    env: "RCSP_HOST",
  },
  {
    name: "port",
    kind: "integer",
    value: "NUMBER",
    about: "the port of the driver",
    default: "45451",
    range: [1, 65_535],
    env: "RCSP_PORT",
  },
  {
    name: "timeout",
    kind: "duration",
    value: "TIME",
    about: "how long to wait for the connection, and for each answer: 500ms, 2s",
    default: "5s and 10s",
    range: [1, LONGEST_TIMER],
    env: "RCSP_TIMEOUT",
  },
  DIALECT_FLAG,
  { name: "wait", kind: "boolean", about: "wait until the driver is there" },
  { name: "verbose", kind: "boolean", about: "show each frame on stderr: -> sent, <- received" },
];

/** A driver without hardware. */
export const SIMULATE_FLAG: Flag = {
  name: "simulate",
  kind: "boolean",
  about: "use a simulated driver inside this process",
  excludes: ["host", "port"],
};

/** The form of data. */
export const JSON_FLAG: Flag = {
  name: "json",
  kind: "boolean",
  about: "one JSON value per line, also in a terminal",
};

/** The flags that a command shares with others. */
export function commonFlags(
  { connects, simulates, prints }: Pick<Command, "connects" | "simulates" | "prints">,
): Flag[] {
  return [
    ...(connects ? CONNECTION_FLAGS : []),
    ...(simulates ? [SIMULATE_FLAG] : []),
    ...(prints ? [JSON_FLAG] : []),
    ...GENERAL_FLAGS,
  ];
}

/** All flags of a command. */
export function allFlags(command: Command): Flag[] {
  return [...command.flags ?? [], ...commonFlags(command)];
}
