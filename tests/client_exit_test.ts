import { assertEquals } from "@std/assert";
import { evalCommand, run } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** An in-memory socket, which does not keep the process alive. */
const CLIENT = `
const { createClient } = await import(${url("../src/client/create_client.ts")});
const { fromStreams } = await import(${url("../src/socket/from_streams.ts")});
const { readable } = new TransformStream();
const { writable } = new TransformStream({}, { highWaterMark: 10 });
const rcsp = await createClient(() => Promise.resolve(fromStreams({ readable, writable })), {
  heartbeat: 3_600_000,
  partialFrameTimeout: 3_600_000,
});
`;

const ENDS: Record<string, string> = {
  "a client that waits for its next heartbeat does not keep a process alive": "",
  "a closed client does not keep a process alive": "await rcsp.close();",
  "a closed client that had calls under way does not keep a process alive":
    "const call = rcsp.call('A').catch(() => {}); await rcsp.close(); await call;",
};

for (const [name, end] of Object.entries(ENDS)) {
  test(name, async () => {
    const script = `${CLIENT}${end}\nconsole.log("done");`;
    const { code, stdout } = await run(evalCommand(script));
    assertEquals([code, stdout.trim()], [0, "done"]);
  });
}
