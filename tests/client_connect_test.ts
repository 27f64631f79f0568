import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  ConnectionError,
  type ConnectOptions,
  type Connector,
  LimitError,
  ProtocolError,
  TimeoutError,
} from "../mod.ts";
import { connect } from "../mod.ts";
import { socketPair } from "../src/socket/memory.ts";
import { echo, mute, startScripted, turn, withScripted } from "./support/scripted_server.ts";
import type { Socket } from "../src/socket/socket.ts";
import { test } from "./support/test.ts";

const never: Connector = () => new Promise(() => {});

/** A signal that knows how many listeners are on it. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener: add, removeEventListener: remove } = signal;
  signal.addEventListener = (...args: unknown[]): void => {
    listeners++;
    Reflect.apply(add, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]): void => {
    listeners--;
    Reflect.apply(remove, signal, args);
  };
  return { controller, listeners: () => listeners };
}

const LIMITS = [
  { option: "connectTimeout", largest: 2 ** 31 - 1 },
  { option: "commandTimeout", largest: 2 ** 31 - 1 },
  { option: "maxPayload", largest: 2 ** 32 - 1 },
  { option: "maxPending", largest: Number.MAX_SAFE_INTEGER },
  { option: "maxDepth", largest: Number.MAX_SAFE_INTEGER },
];

for (const { option, largest } of LIMITS) {
  test(`connect() rejects a '${option}' that is not an integer from 1 to ${largest}`, async () => {
    for (const value of [0, -1, 1.5, NaN, Infinity, largest + 1, "5"]) {
      let opened = false;
      const connector: Connector = (...args) => {
        opened = true;
        return never(...args);
      };
      const options = { connector, reconnect: false, [option]: value } as ConnectOptions;
      const error = await assertRejects(() => connect(options), RangeError);
      assertStrictEquals(
        error.message,
        `'${option}' must be an integer from 1 to ${largest}: current value is ${value}`,
      );
      assert(!opened, "it opened a socket first");
    }
  });

  test(`connect() accepts 1 and ${largest} as '${option}'`, async () => {
    for (const value of [1, largest]) {
      await withScripted(echo, async () => {}, { [option]: value });
    }
  });
}

test("connect() rejects an invalid port", async () => {
  const server = await startScripted(echo);
  for (const port of [0, -1, 65_536, 1.5, NaN]) {
    const options = { port, reconnect: false } as const;
    await assertRejects(() => connect(options), RangeError, "'port' must be an integer");
  }
  await server.close();
});

test("connect() connects to localhost:45451 by default", async () => {
  const asked: unknown[] = [];
  const connector: Connector = (address) => {
    asked.push(address);
    return Promise.reject(new ConnectionError("connection-refused", "No"));
  };
  for (const options of [{}, { host: "glove", port: 1 }]) {
    await assertRejects(() => connect({ ...options, connector, reconnect: false }));
  }
  assertEquals(asked, [{ host: "localhost", port: 45451 }, { host: "glove", port: 1 }]);
});

test("connect() rejects after connectTimeout even if the connector never settles", async () => {
  const { controller, listeners } = countedSignal();
  let given: AbortSignal | undefined;
  const connector: Connector = (address, options) => {
    given = options?.signal;
    return never(address);
  };
  const options = { connector, connectTimeout: 5, signal: controller.signal } as const;
  const error = await assertRejects(
    () => connect({ ...options, reconnect: false }),
    TimeoutError,
    "Cannot connect to localhost:45451 within 5 ms",
  );
  assertEquals([error.code, error.timeout], ["timeout", 5]);
  assertStrictEquals(given?.reason, error);
  assertStrictEquals(listeners(), 0);
});

for (const host of ["::1", "[::1]"]) {
  test(`connect() to ${host} passes the address without brackets, and shows it with them`, async () => {
    const addresses: unknown[] = [];
    const connector: Connector = (address) => {
      addresses.push(address);
      return new Promise(() => {});
    };
    const options = { connector, connectTimeout: 1, host, port: 7 } as const;
    const error = await assertRejects(
      () => connect({ ...options, reconnect: false }),
      TimeoutError,
    );
    assertStrictEquals(error.message, "Cannot connect to [::1]:7 within 1 ms");
    assertEquals(addresses, [{ host: "::1", port: 7 }]);
  });
}

test("connect() rejects with the connector's error if it is an RcspError", async () => {
  for (const error of [new ConnectionError("host-not-found", "No"), new LimitError("No", "x", 1)]) {
    const connector: Connector = () => Promise.reject(error);
    assertStrictEquals(await assertRejects(() => connect({ connector, reconnect: false })), error);
  }
});

test("connect() wraps any other error of the connector in a ConnectionError", async () => {
  for (const thrown of [new Error("odd"), "odd", null]) {
    const connectors: Connector[] = [() => Promise.reject(thrown), () => {
      throw thrown;
    }];
    for (const connector of connectors) {
      const error = await assertRejects(
        () => connect({ connector, reconnect: false }),
        ConnectionError,
        `Cannot connect to localhost:45451: ${thrown === null ? "null" : "odd"}`,
      );
      assertEquals([error.code, error.cause, error.sent], ["connection-failed", thrown, false]);
    }
  }
});

for (const by of ["timeout", "signal"] as const) {
  test(`connect() closes a socket that opens after its ${by}`, async () => {
    const [near, far] = socketPair();
    const late = Promise.withResolvers<typeof near>();
    const controller = new AbortController();
    const connecting = assertRejects(() =>
      connect({
        connector: () => late.promise,
        signal: controller.signal,
        connectTimeout: by === "timeout" ? 1 : 60_000,
        reconnect: false,
      })
    );
    if (by === "signal") controller.abort();
    await connecting;
    late.resolve(near);
    await near.closed;
    far.close();
  });
}

test("connect() with an aborted signal rejects with its reason and opens nothing", async () => {
  let opened = false;
  const connector: Connector = (address) => {
    opened = true;
    return never(address);
  };
  const signal = AbortSignal.abort("enough");
  const rejected = await connect({ connector, signal, reconnect: false }).catch((error) => error);
  assertStrictEquals(rejected, "enough");
  assert(!opened, "it opened a socket");
});

test("connect() rejects with the signal's reason at once, and removes its listener", async () => {
  const { controller, listeners } = countedSignal();
  const reason = new Error("enough");
  const connecting = connect({ connector: never, signal: controller.signal, reconnect: false });
  await turn();
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => connecting), reason);
  assertStrictEquals(listeners(), 0);
});

test("an abort in any microtask around connecting rejects connect() or closes the client", async () => {
  for (let steps = 0; steps < 24; steps++) {
    const [near, far] = socketPair();
    const controller = new AbortController();
    const connector: Connector = async () => {
      let step = Promise.resolve();
      for (let i = 0; i < steps; i++) step = step.then(() => {});
      step.then(() => controller.abort("enough"));
      return await Promise.resolve(near);
    };
    const outcome = await connect({ connector, signal: controller.signal, reconnect: false })
      .then((client) => ({ client }), (reason: unknown) => ({ reason }));
    await turn();
    if ("client" in outcome) {
      let ended = false;
      outcome.client.closed.then(() => ended = true);
      await turn();
      // Only where it fails: close() would hide a socket that was left open.
      if (!ended) await outcome.client.close();
      assert(ended, `the client stays open after an abort ${steps} microtasks in`);
    } else {
      assertStrictEquals(outcome.reason, "enough");
    }
    await near.closed;
    far.close();
  }
});

test("the signal of connect() closes the client later", async () => {
  const { controller, listeners } = countedSignal();
  await withScripted(mute, async (rcsp, server) => {
    const call = rcsp.call("A");
    const rejected = assertRejects(() => call, ConnectionError, "The client's signal was aborted");
    await server.until(1);
    const reason = new Error("enough");
    controller.abort(reason);
    const cause = await rcsp.closed;
    assert(cause instanceof ConnectionError);
    assertEquals([cause.code, cause.cause], ["connection-closed", reason]);
    assertStrictEquals((await rejected).sent, true);
    assertStrictEquals(listeners(), 0);
  }, { signal: controller.signal });
});

test("a closed client leaves no listener on the signal of connect()", async () => {
  const { controller, listeners } = countedSignal();
  await withScripted(echo, async () => {}, { signal: controller.signal });
  assertStrictEquals(listeners(), 0);
  controller.abort();
});

test("the signal passed to a connector covers connecting only", async () => {
  const server = await startScripted(echo);
  let given: AbortSignal | undefined;
  const connector: Connector = (address, options) => {
    given = options?.signal;
    return server.connector(address, options);
  };
  const rcsp = await connect({ connector, reconnect: false });
  await rcsp.close();
  assertStrictEquals(given?.aborted, false);
  await server.close();
});

test("a connector that returns no socket rejects with a TypeError", async () => {
  const connector = (() => Promise.resolve(undefined)) as unknown as Connector;
  await assertRejects(
    () => connect({ connector }),
    TypeError,
    "the connector did not return a socket",
  );
});

test("a socket whose read() throws synchronously ends its connection like any other", async () => {
  const [socket, other] = socketPair();
  const broken: Socket = {
    remote: socket.remote,
    closed: socket.closed,
    read: () => {
      throw new Error("no reading");
    },
    write: (bytes) => socket.write(bytes),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
  };
  const connector: Connector = () => Promise.resolve(broken);
  const rcsp = await connect({ connector, reconnect: false });
  assertStrictEquals((await rcsp.closed)?.code, "connection-closed");
  other.close();
});

test("every error of a call has 'sent'", () =>
  withScripted(mute, async (rcsp, server) => {
    const late = await assertRejects(() => rcsp.call("A", {}, { timeout: 20 }), TimeoutError);
    assertStrictEquals(late.sent, true);
    server.tap.holdWrites();
    rcsp.call("Held").catch(() => {});
    await turn();
    const held = await assertRejects(() => rcsp.call("B", {}, { timeout: 20 }), TimeoutError);
    assertStrictEquals(held.sent, false);
  }));

test("a call that a broken stream rejects was sent", () =>
  withScripted(() => new Uint8Array(8), async (rcsp) => {
    const error = await assertRejects(() => rcsp.call("A"), ProtocolError);
    assertStrictEquals(error.sent, true);
  }));
