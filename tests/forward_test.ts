import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { LimitError } from "../src/errors.ts";
import { forward, RcspServer } from "../server.ts";
import { socketPair } from "../src/socket/memory.ts";
import { Peer, withForwarding } from "./support/forwarding.ts";
import { COMMAND, ERROR, EVENT, frame, OK } from "./support/raw_client.ts";
import { echo, event, mute, ok, type Received, type Script } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const BUTTON = { Publisher: "DeviceEvents", Topic: "ButtonPushed", DeviceId: 7 };

/** A text as a response, with the driver's `TrackId` in it. */
function raw(type: number, text: string): Script {
  return ({ trackId }) => frame(type, text.replace("$ID", trackId));
}

test("a response is passed on character by character, with the client's own TrackId", () =>
  withForwarding(
    raw(
      OK,
      '{ "TrackId" : "$ID",\n"Response":{"Id":9007199254740993,"a":1.50,"a":2},"x":"\\u0041"}',
    ),
    async ({ join }) => {
      const { type, text } = await join().ask('mine "1"', "ListDevices");
      assertStrictEquals(type, OK);
      assertStrictEquals(
        text,
        '{ "TrackId" : "mine \\"1\\"",\n' +
          '"Response":{"Id":9007199254740993,"a":1.50,"a":2},"x":"\\u0041"}',
      );
    },
  ));

test("an error of the driver is passed on with its code and everything else", () =>
  withForwarding(
    raw(ERROR, '{"Error":{"Code":-7e0,"Message":null,"More":[1]},"TrackId":"$ID"}'),
    async ({ join, errors }) => {
      const { type, text } = await join().ask("x", "GetDeviceInfo", { DeviceId: 1 });
      assertStrictEquals(type, ERROR);
      assertStrictEquals(text, '{"Error":{"Code":-7e0,"Message":null,"More":[1]},"TrackId":"x"}');
      assertEquals(errors, []);
    },
  ));

test("a response without a TrackId stays without one", () =>
  withForwarding(raw(OK, '{"Response":{}}'), async ({ join }) => {
    assertStrictEquals((await join().ask("x", "ListDevices")).text, '{"Response":{}}');
  }));

test("arguments are passed on character by character, other keys of a command are not", () =>
  withForwarding(echo, async ({ driver, join }) => {
    const peer = join();
    const args = '{ "DeviceId":9007199254740993,"x":[1.0, "\\u0041"]}';
    await peer.socket.write(frame(
      COMMAND,
      `{"Command":"GetDeviceInfo","TrackId":"t","Arguments":1,"Version":3,"command":"Evil",` +
        `"Arguments":${args}}`,
    ));
    await peer.next();
    const [{ text, trackId }] = driver.received as [Received];
    assertStrictEquals(
      text,
      `{"Command":"GetDeviceInfo","TrackId":"${trackId}","Version":3,"Arguments":${args}}`,
    );
  }));

test("an event is passed on byte for byte, once, to those who subscribed", async () => {
  const body =
    '{"Topic":"ButtonPushed", "Publisher":"DeviceEvents","DeviceId":7,"n":1.0,"n":1e400}';
  await withForwarding(ok, async ({ driver, join }) => {
    const [one, two, other, none] = [join(), join(), join(), join()];
    assertStrictEquals((await one.ask("1", "DeviceSubscribe", BUTTON)).type, OK);
    assertStrictEquals(
      (await one.ask("2", "DeviceSubscribe", { ...BUTTON, DeviceId: 8 })).type,
      OK,
    );
    const { DeviceId: _, ...all } = BUTTON;
    assertStrictEquals((await two.ask("1", "DeviceSubscribe", BUTTON)).type, OK);
    assertStrictEquals((await two.ask("2", "Subscribe", all)).type, OK);
    const away = { ...BUTTON, DeviceId: 9 };
    assertStrictEquals((await other.ask("1", "DeviceSubscribe", away)).type, OK);
    driver.send(event(body));
    for (const peer of [one, two]) {
      const { type, text } = await peer.next();
      assertEquals([type, text], [EVENT, body]);
    }
    for (const peer of [one, two, other, none]) {
      // Nothing was sent between.
      assertStrictEquals((await peer.ask("last", "ListDevices")).body.TrackId, "last");
    }
  });
});

test("an event without the expected fields goes to all subscribers", () =>
  withForwarding(ok, async ({ driver, join }) => {
    const peer = join();
    await peer.ask("1", "DeviceSubscribe", BUTTON);
    driver.send(event('{"Kind":"?"}'));
    assertStrictEquals((await peer.next()).text, '{"Kind":"?"}');
  }));

test("subscriptions are shared: one command for the first, one for the last", () =>
  withForwarding(ok, async ({ driver, join }) => {
    const [one, two, three] = [join(), join(), join()];
    for (const peer of [one, two, three, one]) await peer.ask("s", "DeviceSubscribe", BUTTON);
    assertEquals(driver.names, ["DeviceSubscribe"]);
    await one.ask("u", "DeviceUnsubscribe", BUTTON);
    await one.ask("u", "DeviceUnsubscribe", BUTTON);
    two.socket.close();
    await two.socket.closed;
    driver.send(event(BUTTON));
    assertStrictEquals((await three.next()).type, EVENT);
    assertEquals(driver.names, ["DeviceSubscribe"]);
    await three.ask("u", "DeviceUnsubscribe", BUTTON);
    assertEquals(driver.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    await three.ask("s", "DeviceSubscribe", BUTTON);
    assertStrictEquals(driver.names.length, 3);
  }));

test("a client that leaves unsubscribes", () =>
  withForwarding(ok, async ({ driver, join }) => {
    const peer = join();
    await peer.ask("1", "DeviceSubscribe", BUTTON);
    peer.socket.close();
    await driver.until(2);
    assertEquals(driver.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
  }));

test("a refused subscription is answered with the driver's code, and can be tried again", async () => {
  let refuse = true;
  const script: Script = (received) =>
    refuse
      ? raw(ERROR, '{"TrackId":"$ID","Error":{"Code":42,"Message":"no"}}')(received, null!)
      : ok(received);
  await withForwarding(script, async ({ join, driver }) => {
    const [one, two] = [join(), join()];
    const answers = await Promise.all(
      [one, two].map((each) => each.ask("1", "DeviceSubscribe", BUTTON)),
    );
    assertEquals(answers.map(({ body }) => body.Error), [
      { Code: 42, Message: "no" },
      { Code: 42, Message: "no" },
    ]);
    refuse = false;
    assertStrictEquals((await one.ask("2", "DeviceSubscribe", BUTTON)).type, OK);
    driver.send(event(BUTTON));
    assertStrictEquals((await one.next()).type, EVENT);
  });
});

test("to unsubscribe before the driver has answered ends both commands", () =>
  withForwarding(mute, async ({ driver, join }) => {
    const peer = join();
    await peer.send("1", "DeviceSubscribe", BUTTON);
    await driver.until(1);
    await peer.send("2", "DeviceUnsubscribe", BUTTON);
    const { body } = await peer.next();
    assertEquals([body.TrackId, body.Error.Code], ["1", "Unavailable"]);
  }));

test("a device id that a number cannot hold is not subscribed to", () =>
  withForwarding(ok, async ({ join, driver }) => {
    const peer = join();
    const args = '{"Publisher":"p","Topic":"t","DeviceId":9007199254740993}';
    await peer.socket.write(frame(
      COMMAND,
      `{"Command":"DeviceSubscribe","TrackId":"1","Version":1,"Arguments":${args}}`,
    ));
    assertStrictEquals((await peer.next()).body.Error.Code, "BadArguments");
    assertEquals(driver.names, []);
  }));

test("only the read-only commands are allowed by default", async () => {
  const refused: string[] = [];
  await withForwarding(ok, async ({ driver, join }) => {
    const peer = join();
    for (const name of ["SetColorLed", "", "constructor", "listdevices", "Subscribe "]) {
      const { type, body } = await peer.ask("1", name);
      assertEquals([type, body.TrackId, body.Error.Code], [ERROR, "1", "NotAllowed"]);
    }
    for (const name of ["ListDevices", "GetDeviceInfo"]) {
      assertStrictEquals((await peer.ask("1", name)).type, OK);
    }
    assertEquals(driver.names, ["ListDevices", "GetDeviceInfo"]);
    assertEquals(refused, ["SetColorLed", "", "constructor", "listdevices", "Subscribe "]);
  }, { forward: { onRefused: (command) => refused.push(command) } });
});

test("'allow' adds single commands, or all", async () => {
  await withForwarding(ok, async ({ join }) => {
    const peer = join();
    assertStrictEquals((await peer.ask("1", "SetColorLed")).type, OK);
    assertStrictEquals((await peer.ask("1", "ListDevices")).type, OK);
    assertStrictEquals((await peer.ask("1", "Reboot")).type, ERROR);
  }, { forward: { allow: ["SetColorLed"] } });
  await withForwarding(ok, async ({ join }) => {
    assertStrictEquals((await join().ask("1", "Reboot")).type, OK);
  }, { forward: { allow: "all" } });
});

test("a command with two names is what the server reads, for the list and for the driver", () =>
  withForwarding(ok, async ({ driver, join }) => {
    const peer = join();
    await peer.socket.write(
      frame(COMMAND, '{"Command":"Reboot","TrackId":"1","Version":1,"Command":"ListDevices"}'),
    );
    assertStrictEquals((await peer.next()).type, OK);
    assert(!driver.received[0]!.text.includes("Reboot"));
  }));

test("a handler of the server's own is not forwarded", () =>
  withForwarding(ok, async ({ server, driver, join }) => {
    server.handle("Own", () => ({ here: true }));
    assertEquals((await join().ask("1", "Own")).body.Response, { here: true });
    assertEquals(driver.names, []);
  }));

test("commands are answered at once while the driver is away, and again after it is back", async () => {
  const script: Script = (received) => received.name === "ListDevices" ? ok(received) : "close";
  await withForwarding(script, async ({ join, rcsp, driver }) => {
    const [one, two] = [join(), join()];
    const lost = await one.ask("1", "GetDeviceInfo");
    assertEquals([lost.type, lost.body.Error.Code], [ERROR, "Unavailable"]);
    assert(lost.body.Error.Message.includes("was sent but not answered"), lost.text);
    const away = await two.ask("1", "ListDevices");
    // The driver may be back already.
    if (away.type === ERROR) assertStrictEquals(away.body.Error.Code, "Unavailable");
    await until(() => rcsp.status.state === "ready");
    assertStrictEquals((await two.ask("2", "ListDevices")).type, OK);
    assert(driver.names.length >= 2);
  });
});

test("a driver that was never there: the sentence shows it", async () => {
  await withForwarding(ok, async ({ rcsp, join }) => {
    await rcsp.close();
    const { type, body } = await join().ask("1", "ListDevices");
    assertEquals([type, body], [ERROR, {
      TrackId: "1",
      Error: { Code: "Unavailable", Message: "The driver at localhost:45451 is not connected" },
    }]);
    const { body: subscribed } = await join().ask("1", "DeviceSubscribe", BUTTON);
    assertStrictEquals(subscribed.Error.Code, "Unavailable");
  });
});

test("a driver that does not answer is a Timeout within 'commandTimeout'", () =>
  withForwarding(mute, async ({ join }) => {
    for (const [name, args] of [["ListDevices", {}], ["DeviceSubscribe", BUTTON]] as const) {
      const { type, body } = await join().ask("1", name, args);
      assertEquals([type, body.Error.Code], [ERROR, "Timeout"]);
    }
  }, { client: { commandTimeout: 30 } }));

test("subscriptions are made again after a reconnect, and events continue", async () => {
  await withForwarding(ok, async ({ driver, join, rcsp }) => {
    const [one, two] = [join(), join()];
    await one.ask("1", "DeviceSubscribe", BUTTON);
    await two.ask("1", "DeviceSubscribe", BUTTON);
    driver.hangUp();
    await driver.until(2);
    await until(() => rcsp.stats().reconnects === 1 && rcsp.status.state === "ready");
    assertEquals(driver.names, ["DeviceSubscribe", "DeviceSubscribe"]);
    driver.send(event(BUTTON));
    for (const peer of [one, two]) assertStrictEquals((await peer.next()).type, EVENT);
  });
});

test("subscribers are disconnected if the driver refuses after a reconnect", async () => {
  let subscribed = 0;
  const script: Script = (received) =>
    received.name === "DeviceSubscribe" && ++subscribed === 2
      ? frame(ERROR, { TrackId: received.trackId, Error: { Code: "No" } })
      : ok(received);
  await withForwarding(script, async ({ driver, join, errors }) => {
    const [one, other] = [join(), join()];
    await one.ask("1", "DeviceSubscribe", BUTTON);
    await other.ask("1", "ListDevices");
    driver.hangUp();
    assertStrictEquals(await one.socket.read(), null);
    assert(String(errors[0]).includes("DeviceSubscribe failed [No]"), String(errors[0]));
    assertStrictEquals(errors.length, 1);
  });
});

test("a client that does not read its events is disconnected, others get theirs", () =>
  withForwarding(ok, async ({ driver, join, errors }) => {
    const [deaf, other] = [join(), join()];
    await deaf.ask("1", "DeviceSubscribe", BUTTON);
    await other.ask("1", "DeviceSubscribe", BUTTON);
    const fat = { ...BUTTON, fill: "x".repeat(1_000) };
    let seen = 0;
    const reading = (async () => {
      for (; seen < 500; seen++) assertStrictEquals((await other.next()).body.fill.length, 1_000);
    })();
    for (let i = 0; i < 500; i++) driver.send(event(fat));
    await reading;
    await until(() => errors.length > 0);
    assert(errors[0] instanceof LimitError);
    assertStrictEquals(errors[0].limit, "maxUnsent");
  }, { server: { maxUnsent: 100_000 } }));

test("a flood of one client is held to 'maxPending', and another is answered", async () => {
  const waiting: Received[] = [];
  let open = false;
  const script: Script = (received) => {
    if (open) return ok(received);
    waiting.push(received);
    return undefined;
  };
  await withForwarding(script, async ({ driver, join, rcsp }) => {
    const [flood, other] = [join(), join()];
    for (let i = 0; i < 100; i++) await flood.send(`${i}`, "GetDeviceInfo", { flood: true });
    await driver.until(5);
    await other.send("o", "GetDeviceInfo");
    await driver.until(6);
    assertEquals([rcsp.stats().inFlight, rcsp.stats().queued], [6, 0]);
    assertStrictEquals(driver.received[5]!.args, undefined);
    open = true;
    for (const received of waiting) driver.send(ok(received));
    const { type, body } = await other.next();
    assertEquals([type, body.TrackId], [OK, "o"]);
    for (let i = 0; i < 100; i++) {
      const { type, body } = await flood.next();
      assertEquals([type, body.TrackId], [OK, `${i}`]);
    }
  }, { forward: { maxPending: 5 } });
});

test("a flood of subscriptions is held to 'maxPending' too, and stays in order", async () => {
  const waiting: Received[] = [];
  let open = false;
  const script: Script = (received) => {
    if (open) return ok(received);
    waiting.push(received);
    return undefined;
  };
  await withForwarding(script, async ({ driver, join, rcsp }) => {
    const [flood, other] = [join(), join()];
    for (let i = 0; i < 50; i++) {
      await flood.send(`${i}`, "DeviceSubscribe", { ...BUTTON, DeviceId: i });
      await flood.send(`-${i}`, "DeviceUnsubscribe", { ...BUTTON, DeviceId: i });
    }
    // To unsubscribe ends the wait of the command before it, so there are nearly two for each.
    await driver.until(9);
    await other.send("o", "GetDeviceInfo");
    await driver.until(10);
    assertEquals([rcsp.stats().inFlight, rcsp.stats().queued], [10, 0]);
    open = true;
    for (const received of waiting) driver.send(ok(received));
    assertStrictEquals((await other.next()).type, OK);
    for (let i = 0; i < 100; i++) await flood.next();
    for (let i = 0; i < 50; i++) {
      const names = driver.received
        .filter(({ args }) => (args as typeof BUTTON | undefined)?.DeviceId === i)
        .map(({ name }) => name);
      assertEquals(names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    }
  }, { forward: { maxPending: 5 }, client: { maxPending: 20 } });
});

test("many clients together wait for the client's own 'maxPending'", async () => {
  const held: Received[] = [];
  const script: Script = (received) => {
    held.push(received);
    return undefined;
  };
  await withForwarding(script, async ({ driver, join, rcsp }) => {
    const peers = Array.from({ length: 5 }, join);
    for (const peer of peers) await peer.send("1", "ListDevices");
    await driver.until(2);
    assertEquals([rcsp.stats().inFlight, rcsp.stats().queued], [2, 0]);
    for (let i = 0; i < peers.length; i++) {
      await driver.until(i + 1);
      driver.send(ok(held[i]!));
      const { type, body } = await peers[i]!.next();
      assertEquals([type, body.TrackId], [OK, "1"]);
    }
  }, { client: { maxPending: 2 } });
});

test("if the client's own calls fill its 'maxPending', a command is answered with Busy", () =>
  withForwarding(mute, async ({ driver, join, rcsp }) => {
    const own = [rcsp.listDevices(), rcsp.listDevices()];
    for (const call of own) call.catch(() => {});
    await driver.until(2);
    assertStrictEquals((await join().ask("1", "ListDevices")).body.Error.Code, "Busy");
  }, { client: { maxPending: 2 } }));

test("a subscription that had to wait does not outlive a client that left meanwhile", async () => {
  const held: Received[] = [];
  let open = false;
  const script: Script = (received) => {
    if (open || received.name !== "ListDevices" && held.length === 0) return ok(received);
    held.push(received);
    return undefined;
  };
  await withForwarding(script, async ({ driver, server }) => {
    const [near, far] = socketPair();
    // Its end is not read yet, as that of a client whose socket is paused.
    const closed = Promise.withResolvers<void>();
    const read = async (): Promise<Uint8Array | null> =>
      await far.read() ?? await new Promise(() => {});
    server.accept({
      remote: "paused",
      read,
      write: (bytes) => far.write(bytes),
      closeWrite: () => far.closeWrite(),
      close: () => far.close(),
      closed: closed.promise,
    });
    const peer: Peer = new Peer(near);
    assertStrictEquals((await peer.ask("1", "DeviceSubscribe", BUTTON)).type, OK);
    await peer.send("2", "ListDevices");
    await peer.send("3", "DeviceSubscribe", { ...BUTTON, DeviceId: 8 });
    await driver.until(2);
    closed.resolve();
    await driver.until(3);
    open = true;
    for (const received of held) driver.send(ok(received));
    await driver.until(5);
    assertEquals(driver.names, [
      "DeviceSubscribe",
      "ListDevices",
      "DeviceUnsubscribe",
      "DeviceSubscribe",
      "DeviceUnsubscribe",
    ]);
    far.close();
  }, { forward: { maxPending: 1 } });
});

test("what a client that left has not sent to the driver yet is not sent", async () => {
  const held: Received[] = [];
  const script: Script = (received) => {
    held.push(received);
    return undefined;
  };
  await withForwarding(script, async ({ driver, join, server, rcsp, errors }) => {
    const peer = join();
    for (let i = 0; i < 20; i++) await peer.send(`${i}`, "ListDevices");
    await driver.until(2);
    peer.socket.close();
    await until(() => server.clients === 0);
    for (const received of held) driver.send(ok(received));
    await until(() => rcsp.stats().inFlight === 0);
    assertStrictEquals(driver.received.length, 2);
    // That a client leaves is not an error of the server.
    assertEquals(errors, []);
  }, { forward: { maxPending: 2 }, server: { closeTimeout: 1 } });
});

test("invalid commands are answered and do not reach the driver", () =>
  withForwarding(ok, async ({ driver, join }) => {
    const peer: Peer = join();
    for (
      const body of [
        '{"Command":"ListDevices","TrackId":"1","Version":1e400}',
        '{"Command":"ListDevices","TrackId":"1","Version":1,"Arguments":[]}',
        '{"TrackId":"1","Version":1}',
        "[]",
        "{",
      ]
    ) {
      await peer.socket.write(frame(COMMAND, body));
      assertStrictEquals((await peer.next()).body.Error.Code, "BadCommand");
    }
    await peer.socket.write(
      frame(COMMAND, '{"Command":"ListDevices","TrackId":"1","Version":1,"Arguments":null}'),
    );
    assertStrictEquals((await peer.next()).type, OK);
    assertEquals(driver.names, ["ListDevices"]);
  }));

test("the client must be one of this module, the limit a number", () => {
  const server = new RcspServer();
  assertThrows(() => forward(server, {} as RcspClient), TypeError, "Cannot forward to this client");
});
