/** A thin stand-in for the few names of `@std/bytes` that this project uses. */

export { concat } from "./concat.ts";
export { equals } from "./equals.ts";
