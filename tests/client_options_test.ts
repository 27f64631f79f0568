import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { connect } from "../mod.ts";
import { connectMotion } from "../motion.ts";
import { createClient, startClient } from "../src/client/create_client.ts";
import { parseTarget } from "../src/client/options.ts";
import type { Address } from "../src/socket/socket.ts";
import { ok, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const targets: [target: string, address: { host: string; port?: number }][] = [
  ["10.0.0.5:45451", { host: "10.0.0.5", port: 45451 }],
  ["localhost", { host: "localhost" }],
  ["rcsp://studio.local", { host: "studio.local" }],
  ["rcsp://studio.local:7/", { host: "studio.local", port: 7 }],
  ["RCSP://[::1]:45451", { host: "[::1]", port: 45451 }],
  ["[fe80::1%eth0]", { host: "[fe80::1%eth0]" }],
];

for (const [target, address] of targets) {
  test(`connect("${target}") connects there`, async () => {
    assertEquals(parseTarget(target), address);
    const asked: Address[] = [];
    const connector = (to: Address) => {
      asked.push(to);
      return Promise.reject(new Error("enough"));
    };
    await assertRejects(() => connect(target, { connector }));
    const host = address.host.replace(/^\[|\]$/g, "");
    assertEquals(asked, [{ host, port: address.port ?? 45451 }]);
  });
}

for (
  const target of [
    "",
    ":45451",
    "a b",
    "http://x",
    "host:port",
    "host:1:2",
    "::1",
    "[x]",
    "rcsp://",
  ]
) {
  test(`connect("${target}") rejects and says what it expects`, async () => {
    await assertRejects(() => connect(target), TypeError, "expected host:port or rcsp://host:port");
  });
}

test("connect() takes a URL", async () => {
  const asked: Address[] = [];
  const connector = (to: Address) => {
    asked.push(to);
    return Promise.reject(new Error("enough"));
  };
  await assertRejects(() => connect(new URL("rcsp://studio.local:7"), { connector }));
  assertEquals(asked, [{ host: "studio.local", port: 7 }]);
});

test("connect() and connectMotion() refuse what is neither an address nor options", async () => {
  for (const [target, what] of [[45451, "the number 45451"], [null, "null"], [[], "an array"]]) {
    for (const to of [connect, connectMotion]) {
      const error = await assertRejects(() => to(target as never), TypeError);
      assertStrictEquals(
        error.message,
        `Cannot connect to ${what}: expected host:port, rcsp://host:port or options`,
      );
    }
  }
});

test("connect() refuses unknown options, and reports which one was meant", async () => {
  const wrong: [options: object, message: string][] = [
    [{ prot: 1 }, "Unknown option 'prot': did you mean 'port'?"],
    [{ Host: "x" }, "Unknown option 'Host': did you mean 'host'?"],
    [{ timeout: 5 }, "Unknown option 'timeout': the options are host, port, "],
    [{ connectTimeuot: 5 }, "did you mean 'connectTimeout'?"],
    [{ reconnect: { maxDelya: 5 } }, "Unknown option 'maxDelya': did you mean 'maxDelay'?"],
    [JSON.parse('{"__proto__":1}'), "Unknown option '__proto__'"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => connect(options), TypeError, message);
    await assertRejects(() => createClient(() => Promise.reject(), options), TypeError, message);
  }
});

test("connect() explains what to do about a host that contains a port", async () => {
  const error = await assertRejects(() => connect({ host: "localhost:45451" }), TypeError);
  assertStrictEquals(
    error.message,
    "Cannot connect as 'host' contains a port: use { host, port: 45451 } or connect('localhost:45451')",
  );
});

test("connect() and startClient() refuse an address before they ask a connector", async () => {
  const notAsked = () => Promise.reject(new Error("asked"));
  const wrong: [options: object, message: string][] = [
    [{ host: 5 }, "'host' must be a host name or an IP address: current value is 5"],
    [{ host: null }, "'host' must be a host name or an IP address: current value is null"],
    [{ host: "" }, "'host' must be a host name or an IP address: current value is ''"],
    [{ port: 0 }, "'port' must be an integer from 1 to 65535: current value is 0"],
    [{ port: "1" }, "'port' must be an integer from 1 to 65535: current value is 1"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => connect({ ...options, connector: notAsked }), Error, message);
    assertThrows(() => startClient(notAsked, options), Error, message);
  }
});

test("methods take a listed device or its id, and colors as text", () =>
  withScripted(
    (command) => ok(command, command.name === "ListDevices" ? { Devices: [{ DeviceId: 7 }] } : {}),
    async (rcsp, server) => {
      const [device] = await rcsp.listDevices();
      await rcsp.getDeviceInfo(device!);
      await rcsp.setColorLed(device!, "#f80");
      await rcsp.setColorLed(7, "red");
      await rcsp.setColorLed(7, { Red: 1, Green: 2, Blue: 3, LedId: "Other" });
      await rcsp.buttonPresses(device!).ready;
      await assertRejects(() => rcsp.setColorLed(7, "rde"), TypeError, "Invalid color 'rde'");
      const led = { DeviceId: 7, LedId: "RingLed" };
      assertEquals(server.received.slice(1).map(({ args }) => args as unknown), [
        { DeviceId: 7 },
        { ...led, Red: 255, Green: 136, Blue: 0 },
        { ...led, Red: 255, Green: 0, Blue: 0 },
        { DeviceId: 7, LedId: "Other", Red: 1, Green: 2, Blue: 3 },
        { DeviceId: 7, Publisher: "DeviceEvents", Topic: "ButtonPushed" },
      ]);
    },
  ));

test("call() types its response, and refuses options in the place of arguments by type", () =>
  withScripted((command) => ok(command, { Level: 5 }), async (rcsp) => {
    const { Level } = await rcsp.call<{ Level: number }>("GetLevel");
    assertStrictEquals(Level + 1, 6);
    // @ts-expect-error -- options are the third parameter
    await rcsp.call("GetLevel", { timeout: 500 });
    // @ts-expect-error -- options are the third parameter
    await rcsp.call("GetLevel", { signal: new AbortController().signal as unknown });
  }));
