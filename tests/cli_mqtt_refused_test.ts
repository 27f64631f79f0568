import { createServer } from "node:net";
import { assertEquals, assertMatch } from "@std/assert";
import { assertFails, rcsp, withDriver } from "./support/cli_io.ts";
import { bridged, withBroker } from "./support/mqtt.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("a wrong command line is a usage error in one sentence", async () => {
  const wrong: [sentence: RegExp, ...args: string[]][] = [
    [/Missing <url>/],
    [/Invalid broker URL: scheme 'http'/, "http://x"],
    [/Invalid broker URL with a path/, "mqtt://x/y"],
    [/Invalid '--prefix' '#'/, "mqtt://x", "--prefix", "#"],
    [/Invalid '--allow' 'a\/b'/, "mqtt://x", "--allow", "a/b"],
    [/Cannot use '--simulate' together with '--driver'/, "mqtt://x", "--simulate", "--driver", "a"],
    [/Invalid '--driver': Invalid address 'a b'/, "mqtt://x", "--driver", "a b"],
    [/The driver a:45451 is given twice/, "mqtt://x", "--driver", "a", "--driver", "a:45451"],
    [/A password needs a user/, "mqtt://x"],
  ];
  for (const [sentence, ...args] of wrong) {
    const isPassword = sentence.source.startsWith("A password");
    const result = await rcsp(["mqtt", ...args], {
      hostname: () => "stage",
      variables: isPassword ? { RCSP_MQTT_PASSWORD: "secret" } : {},
    });
    assertFails(result, 2);
    assertMatch(result.err, sentence);
  }
  const nameless = await rcsp(["mqtt", "mqtt://x"], { hostname: () => undefined });
  assertFails(nameless, 2);
  assertMatch(nameless.err, /give '--site NAME'/);
});

test("a wrong password is one sentence, said once; the right one later lets us in", async () => {
  await withBroker(async (broker) => {
    let [attempts, isOpen] = [0, false];
    broker.aedes.authenticate = (client, user, password, done) => {
      if (!client.id.startsWith("rcsp-")) return done(null, true);
      attempts++;
      if (isOpen && user === "me" && `${password}` === "secret") return done(null, true);
      done(Object.assign(new Error("no"), { returnCode: 4 }), false);
    };
    const url = broker.url.replace("//", "//me@");
    const variables = { RCSP_MQTT_PASSWORD: "secret" };
    await withDriver(async ({ connector }) => {
      const code = await bridged({ url }, { connector, variables }, async (io) => {
        await until(() => attempts >= 3);
        const said = io.err.split("\n").filter((line) => line.includes("wrong user or password"));
        assertEquals(said, [
          `Broker ${broker.url}: wrong user or password. Trying again until Ctrl-C`,
        ]);
        isOpen = true;
        await io.until(({ err }) => err.includes(`Connected to broker ${broker.url}`));
        assertEquals(io.err.includes("secret"), false);
      });
      assertEquals(code, 0);
    });
  });
});

/** A server that is not a broker. */
async function withServer(
  onData: (data: Uint8Array) => Uint8Array | undefined,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const answer = onData(data as Uint8Array);
      if (answer === undefined) socket.destroy();
      else socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as { port: number }).port);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test("no broker, an unknown host, no TLS, another protocol: one sentence each, and the process lives", async () => {
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  const http = (): Uint8Array => text("HTTP/1.1 400 Bad Request\r\n\r\n");
  await withServer(http, (httpPort) =>
    withServer(() => undefined, async (mutePort) => {
      const cases: [url: string, reason: RegExp][] = [
        [`mqtt://127.0.0.1:${closed}`, /connection refused\. Is a broker running there\? Trying/],
        ["mqtt://nowhere.invalid", /unknown host/],
        [`mqtts://127.0.0.1:${httpPort}`, /TLS: /],
        [`mqtt://127.0.0.1:${httpPort}`, /./],
        [`mqtt://127.0.0.1:${mutePort}`, /it closed the connection/],
        [`ws://127.0.0.1:${httpPort}`, /./],
      ];
      for (const [url, reason] of cases) {
        await withDriver(async ({ connector }) => {
          const code = await bridged({ url }, { connector }, async (io) => {
            await io.until(({ err }) => err.includes("Trying again until Ctrl-C"));
            const [line = ""] = io.err.split("\n");
            assertMatch(
              line,
              /^Broker (mqtts?|ws):\/\/[\w.:]+: .{3,300}(?:\?|[^?]\.) Trying again until Ctrl-C$/,
            );
            assertMatch(line, reason);
          });
          assertEquals(code, 0);
        });
      }
    }));
});

test("a broker that does not allow subscribing is reported, and presses continue", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    broker.aedes.authorizeSubscribe = (client, subscription, done) =>
      done(null, client?.id.startsWith("rcsp-") ? null : subscription);
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector, args: ["--allow", "SetColorLed"] }, async (io) => {
        await io.until(({ err }) =>
          err.includes("The broker does not allow subscribing to rokoko/stage/+/led/set\n")
        );
        await until(() => simulator.press(1, "SinglePress") > 0);
        await reader.untilTexts("rokoko/stage/1/button", 1);
      });
    });
  });
});
