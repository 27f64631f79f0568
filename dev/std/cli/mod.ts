/** A thin stand-in for the one name of `@std/cli` that this project uses. */

export * from "./parse_args.ts";
