import { inspect } from "node:util";
import { assert, AssertionError } from "./basics.ts";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** Throws unless the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    check("thrown", error, classOrMsg, msgIncludes, msg);
    return thrown;
  }
  throw new AssertionError(`Expected function to throw${ending(classOrMsg, msg)}`);
}

/** Rejects unless the function returns a promise that rejects; resolves to the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(`Function throws when expected to reject${ending(classOrMsg, msg)}`, {
      cause,
    });
  }
  try {
    await promise;
  } catch (error) {
    check("rejected", error, classOrMsg, msgIncludes, msg);
    return error;
  }
  throw new AssertionError(`Expected function to reject${ending(classOrMsg, msg)}`);
}

function check(
  verb: "thrown" | "rejected",
  error: unknown,
  classOrMsg: ErrorClass<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): void {
  if (typeof classOrMsg !== "function") return;
  assert(error instanceof Error, `A non-Error object was ${verb}${ending(classOrMsg, msg)}`);
  const found = `"${error.name}": ${inspect(error)}`;
  if (!(error instanceof classOrMsg)) {
    throw new AssertionError(
      `Expected error to be instance of "${classOrMsg.name}", but was ${found}${
        ending(classOrMsg, msg)
      }`,
      { cause: error },
    );
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      `Expected error message to include "${msgIncludes}", but got "${error.message}"${
        ending(classOrMsg, msg)
      }`,
      { cause: error },
    );
  }
}

function ending(classOrMsg: ErrorClass<Error> | string | undefined, msg?: string): string {
  const text = typeof classOrMsg === "string" ? classOrMsg : msg;
  return text ? `: ${text}` : ".";
}
