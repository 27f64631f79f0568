/**
 * One `test()` for three runners, so that every test file runs unchanged on Deno, Bun and Node.
 * Deno gets its own runner as its `node:test` switches the leak sanitizers off.
 */

import process from "node:process";
import { TEST_TIMEOUT } from "./wait.ts";

/** Milliseconds that a Node process may run after its last test. */
const LEAK_TIMEOUT = 20_000;

type TestBody = () => void | Promise<void>;
type Register = (name: string, fn: TestBody) => void;

const register: Register = "Deno" in globalThis ? withDeno : await withNodeTest();

/** Registers a test. In Deno it also fails if it leaks a timer or a resource, or exits. */
export function test(name: string, fn: TestBody): void {
  register(name, fn);
}

function withDeno(name: string, fn: TestBody): void {
  Deno.test({
    name,
    fn,
    sanitizeExit: true,
    sanitizeOps: true,
    sanitizeResources: true,
    timeout: TEST_TIMEOUT,
  });
}

async function withNodeTest(): Promise<Register> {
  const nodeTest = await import("node:test");
  if (!("Bun" in globalThis)) nodeTest.after(endLeakyProcess);
  return (name, fn) => {
    void nodeTest.test(name, { timeout: TEST_TIMEOUT }, () => fn());
  };
}

/** Node would wait forever for what a test file has left open: fail instead. */
function endLeakyProcess(): void {
  setTimeout(() => {
    console.error(`The tests are over, but still open: ${process.getActiveResourcesInfo()}`);
    process.exit(1);
  }, LEAK_TIMEOUT).unref();
}
