/**
 * The flags that several commands have.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { type Flag, LONGEST_TIMER } from "./parse.ts";

type More = Omit<Flag, "name" | "short" | "kind" | "value" | "about">;

/** A flag without a value. `form` is what the help shows: `-q, --quiet`. */
export function booleanFlag(form: string, about: string, more?: More): Flag {
  return makeFlag("boolean", form, about, more);
}

/** A flag with text: `--led NAME`. */
export function textFlag(form: string, about: string, more?: More): Flag {
  return makeFlag("text", form, about, more);
}

/** A flag with a name or address of a machine: `--host NAME`. */
export function hostFlag(form: string, about: string, more?: More): Flag {
  return makeFlag("host", form, about, more);
}

/** A flag with an integer: `-n, --count N`. */
export function integerFlag(form: string, about: string, more?: More): Flag {
  return makeFlag("integer", form, about, more);
}

/** A flag with a time, by default from one millisecond on: `--for TIME`. */
export function durationFlag(form: string, about: string, more?: More): Flag {
  return makeFlag("duration", form, about, { range: [1, LONGEST_TIMER], ...more });
}

function makeFlag(kind: Flag["kind"], form: string, about: string, more?: More): Flag {
  const [, short, name = "", value] = /^(?:-(.), )?--(\S+)(?: (\S+))?$/.exec(form)!;
  return { name, kind, about, short, value, ...more };
}

/** What every command has. */
export const GENERAL_FLAGS: readonly Flag[] = [
  booleanFlag("--no-color", "no colors; also if NO_COLOR is not empty"),
  booleanFlag("-h, --help", "show help"),
];

/** A dialect file. */
export const DIALECT_FLAG: Flag = textFlag(
  "--dialect FILE",
  "JSON with names that differ from the assumed ones",
  { env: "RCSP_DIALECT" },
);

/** Which server, and how long to wait for it. */
export const CONNECTION_FLAGS: readonly Flag[] = [
  hostFlag("--host NAME", "where the driver runs", { default: "localhost", env: "RCSP_HOST" }),
  integerFlag("--port NUMBER", "the port of the driver", {
    default: "45451",
    range: [1, 65_535],
    env: "RCSP_PORT",
  }),
  durationFlag(
    "--timeout TIME",
    "how long to wait for the connection, and for each answer: 500ms, 2s",
    { default: "5s and 10s", env: "RCSP_TIMEOUT" },
  ),
  DIALECT_FLAG,
  booleanFlag("--wait", "wait until the driver is there"),
  booleanFlag("--verbose", "show each frame on stderr: -> sent, <- received"),
];

/** A driver without hardware. */
export const SIMULATE_FLAG: Flag = booleanFlag(
  "--simulate",
  "use a simulated driver inside this process",
  { excludes: ["host", "port"] },
);

/** The form of data. */
export const JSON_FLAG: Flag = booleanFlag("--json", "one JSON value per line, also in a terminal");

/** The flags that commands share. */
export const COMMON_FLAGS: readonly Flag[] = [
  ...CONNECTION_FLAGS,
  SIMULATE_FLAG,
  JSON_FLAG,
  ...GENERAL_FLAGS,
];

/** All flags of a command. */
export function allFlags({ flags = [], connects, simulates, prints }: Command): Flag[] {
  return [
    ...flags,
    ...(connects ? CONNECTION_FLAGS : []),
    ...(simulates ? [SIMULATE_FLAG] : []),
    ...(prints ? [JSON_FLAG] : []),
    ...GENERAL_FLAGS,
  ];
}
