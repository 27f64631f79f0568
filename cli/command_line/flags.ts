/**
 * The flags that several commands have.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { type Flag, LONGEST_TIMER } from "./parse.ts";

/** What every command has. */
export const GENERAL_FLAGS: readonly Flag[] = [
  { name: "no-color", kind: "boolean", about: "no colours; so does a NO_COLOR that is not empty" },
  { name: "help", short: "h", kind: "boolean", about: "show this" },
];

/** A dialect file. */
export const DIALECT_FLAG: Flag = {
  name: "dialect",
  kind: "text",
  value: "FILE",
  about: "JSON with the names of a driver that differs",
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
    about: "its port",
    default: "45451",
    range: [1, 65_535],
    env: "RCSP_PORT",
  },
  {
    name: "timeout",
    kind: "duration",
    value: "TIME",
    about: "longest wait for the connection, and for each answer: 500ms, 2s",
    default: "5s and 10s",
    range: [1, LONGEST_TIMER],
    env: "RCSP_TIMEOUT",
  },
  DIALECT_FLAG,
];

/** A driver without hardware. */
export const SIMULATE_FLAG: Flag = {
  name: "simulate",
  kind: "boolean",
  about: "use a simulated driver within this process",
};

/** The form of data. */
export const JSON_FLAG: Flag = {
  name: "json",
  kind: "boolean",
  about: "JSON, one value a line, also in a terminal",
};

/** All flags of a command, in groups for the help. */
export function flagGroups(command: Command): readonly (readonly [string, readonly Flag[]])[] {
  const { flags = [], connects, simulates, prints } = command;
  const connection = [
    ...(connects ? CONNECTION_FLAGS : []),
    ...(simulates ? [SIMULATE_FLAG] : []),
  ];
  const general = [...(prints ? [JSON_FLAG] : []), ...GENERAL_FLAGS];
  const groups = [["Flags", flags], ["Connection", connection], ["General", general]] as const;
  return groups.filter(([, group]) => group.length > 0);
}

/** All flags of a command. */
export function allFlags(command: Command): Flag[] {
  return flagGroups(command).flatMap(([, flags]) => flags);
}
