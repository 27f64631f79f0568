import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Buffer } from "node:buffer";
import { readLed } from "../cli/mqtt/led_payload.ts";
import { withDriver } from "./support/cli_io.ts";
import { bridged, withBroker } from "./support/mqtt.ts";
import { withBroker5 } from "./support/mqtt5.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LED = ["--allow", "SetColorLed"];

test("a payload of led/set is a color, arguments of SetColorLed, or a light of Home Assistant", () => {
  const last = { Red: 100, Green: 0, Blue: 50 };
  const read = (text: string) => readLed(bytes(text), last);
  const orange = { Red: 255, Green: 128, Blue: 0 };
  assertEquals(read("#ff8000"), orange);
  assertEquals(read(" orange\n"), orange);
  assertEquals(read('{"Red":255,"Green":128,"Blue":0,"LedId":"Ring"}'), {
    ...orange,
    LedId: "Ring",
  });
  assertEquals(read('{"state":"ON","color":{"r":255,"g":128,"b":0}}'), orange);
  assertEquals(read('{"state":"ON"}'), last);
  assertEquals(read('{"state":"ON","brightness":200}'), { Red: 200, Green: 0, Blue: 100 });
  assertEquals(read('{"state":"OFF"}'), { Red: 0, Green: 0, Blue: 0 });
});

const badColors: [why: string, payload: string | Uint8Array][] = [
  ["nothing", ""],
  ["no color", "reddish"],
  ["a megabyte", "r".repeat(1_000_000)],
  ["garbage", Uint8Array.of(0xc0, 0x80, 0xff, 0x00)],
  ["a terminal sequence", "\x1b[2J"],
  ["half JSON", '{"Red":'],
  ["an array", "[1,2,3]"],
  ["deep JSON", `{"a":${"[".repeat(400)}${"]".repeat(400)}}`],
  ["a channel beyond 255", '{"Red":256,"Green":0,"Blue":0}'],
  ["a fraction", '{"Red":0.5,"Green":0,"Blue":0}'],
  ["text as a channel", '{"Red":"1","Green":0,"Blue":0}'],
  ["a missing channel", '{"Red":1,"Green":0}'],
  ["inherited names", '{"__proto__":{"Red":1,"Green":1,"Blue":1}}'],
  ["a strange state", '{"state":"DIM"}'],
  ["a strange color", '{"state":"ON","color":"red"}'],
  ["a strange brightness", '{"state":"ON","brightness":-1}'],
  ["an LED without a name", '{"Red":1,"Green":1,"Blue":1,"LedId":""}'],
];

test("bad colors are one sentence each, and none reaches a device", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, commands }) => {
      await bridged(broker, { connector, args: LED }, async (io) => {
        await broker.untilPublished("rokoko/stage/4/info", 1);
        for (const [why, payload] of badColors) {
          const lines = io.err.split("\n").length;
          broker.send("rokoko/stage/1/led/set", payload);
          await io.until(({ err }) => err.split("\n").length > lines);
          const line = io.err.split("\n").at(-2)!;
          assertMatch(line, /^Invalid 'led\/set' of device '1': [\x20-\x7e…]{5,400}$/, why);
        }
        broker.send("rokoko/stage/nobody/led/set", "red");
        await io.until(({ err }) => err.includes("No device 'nobody' for its 'led/set'\n"));
        broker.send("rokoko/stage/1/led/set", "#ff8000");
        await until(() => commands.some(([name]) => name === "SetColorLed"));
        assertEquals(commands.filter(([name]) => name === "SetColorLed"), [[
          "SetColorLed",
          { DeviceId: 1, LedId: "RingLed", Red: 255, Green: 128, Blue: 0 },
        ]]);
      });
    });
  }, { version: 4 });
});

test("a retained color is old, so it is ignored", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await reader.publish("rokoko/stage/1/led/set", "red", true);
    await withDriver(async ({ connector, commands }) => {
      await bridged(broker, { connector, args: LED }, async (io) => {
        await io.until(({ err }) => err.includes("Ignored a retained message on "));
        await reader.untilTexts("rokoko/stage/1/availability", 1);
        await reader.publish("rokoko/stage/1/led/set", "blue");
        await until(() => commands.some(([, args]) => args?.["Blue"] === 255));
        assertEquals(commands.some(([, args]) => args?.["Red"] === 255), false);
      });
    });
  });
});

test("of colors that come faster than the device sets them, the newest wins", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ connector, commands, simulator }) => {
      await bridged(broker, { connector, args: LED }, async () => {
        await reader.untilTexts("rokoko/stage/4/info", 1);
        const first = Promise.withResolvers<void>();
        simulator.server.handle("SetColorLed", async () => {
          await first.promise;
          return {};
        });
        const set = () => commands.filter(([name]) => name === "SetColorLed");
        await reader.publish("rokoko/stage/1/led/set", "red");
        await until(() => set().length === 1);
        for (let i = 0; i < 200; i++) await reader.publish("rokoko/stage/1/led/set", `${i},0,0`);
        // Messages of one sender arrive in order: when this one is there, so are those before.
        await reader.publish("rokoko/stage/1/led/set", "0,0,7");
        await reader.publish("rokoko/stage/2/led/set", "green");
        await until(() => set().some(([, args]) => args["DeviceId"] === 2));
        first.resolve();
        await until(() => set().some(([, args]) => args["Blue"] === 7));
        assertEquals(set().length, 3);
      });
    });
  });
});

test("without --allow nothing is subscribed to but what the broker has kept", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, commands }) => {
      await bridged(broker, { connector }, async () => {
        await broker.untilPublished("rokoko/stage/1/info", 1);
        assertEquals(
          broker.subscribes.flatMap(({ subscriptions }) => subscriptions.map(({ topic }) => topic)),
          ["rokoko/stage/+/availability"],
        );
        // A broker may send what was not asked for.
        broker.send("rokoko/stage/1/led/set", "red");
        broker.send("rokoko/stage/call/SetColorLed", "{}", { responseTopic: "r" });
        const [answer] = await broker.untilPublished("r", 1);
        assertEquals(JSON.parse(`${answer!.payload}`).Error.Code, "NotAllowed");
        assertEquals(commands.some(([name]) => name === "SetColorLed"), false);
      });
    });
  });
});

test("MQTT 5: a call is answered on its response topic, with its correlation data", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, commands }) => {
      const args = ["--allow", "GetDeviceInfo", "--allow", "Nonsense"];
      await bridged(broker, { connector, args }, async () => {
        await broker.untilPublished("rokoko/stage/1/info", 1);
        let count = 0;
        const call = async (name: string, payload: string): Promise<unknown> => {
          const correlationData = bytes(`call ${++count}`) as Buffer;
          broker.send(`rokoko/stage/call/${name}`, payload, {
            responseTopic: "r",
            correlationData,
          });
          const answer = (await broker.untilPublished("r", count)).at(-1)!;
          assertEquals(`${answer.properties?.correlationData}`, `call ${count}`);
          assertEquals([answer.qos, answer.retain], [1, false]);
          return JSON.parse(`${answer.payload}`);
        };
        const { Response } = await call("GetDeviceInfo", '{"DeviceId":1}') as {
          Response: { Name: string };
        };
        assertEquals(Response.Name, "Smartglove Left");
        const refused = await call("Nonsense", "") as { Error: { Code: string } };
        assertEquals(typeof refused.Error.Code, "string");
        const sent = commands.length;
        const bad = { Code: "BadArguments" };
        const message = "the payload must be one JSON object with the arguments";
        for (const payload of ["{", "[]", "null", "x", '"x"', "\xff"]) {
          assertEquals(await call("GetDeviceInfo", payload), {
            Error: { ...bad, Message: message },
          });
        }
        assertEquals(await call("GetDeviceInfo", '{"DeviceId":9007199254740993}'), {
          Error: {
            ...bad,
            Message: "The arguments hold a number too large to be exact: 9007199254740992",
          },
        });
        assertEquals(await call("GetDeviceInfo", `{"x":"${"x".repeat(100_000)}"}`), {
          Error: { ...bad, Message: "the arguments have 100008 bytes: at most 65536" },
        });
        assertEquals(await call("ListDevices", ""), {
          Error: { Code: "NotAllowed", Message: "not allowed: see --allow" },
        });
        const polls = commands.slice(sent).filter(([name]) => name !== "ListDevices");
        assertEquals(polls, []);
      });
    });
  });
});

test("MQTT 5: a response topic with wildcards, or of the site, is not answered, and the command is still carried out", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, commands }) => {
      const args = ["--allow", "SetColorLed"];
      await bridged(broker, { connector, args }, async () => {
        await broker.untilPublished("rokoko/stage/1/info", 1);
        const color = '{"DeviceId":1,"LedId":"RingLed","Red":1,"Green":2,"Blue":3}';
        broker.send("rokoko/stage/call/SetColorLed", color, { responseTopic: "#" });
        broker.send("rokoko/stage/call/SetColorLed", color);
        const own = "rokoko/stage/1/led/set";
        broker.send("rokoko/stage/call/SetColorLed", color, { responseTopic: own });
        broker.send("rokoko/stage/call/SetColorLed", color, { responseTopic: "end" });
        await broker.untilPublished("end", 1);
        assertEquals(commands.filter(([name]) => name === "SetColorLed").length, 4);
        assertEquals(broker.published.some(({ topic }) => ["#", own].includes(topic)), false);
      });
    });
  });
});

test("MQTT 5: of several drivers a call names one in the user property 'driver'", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector }) => {
      const args = ["--driver", "a:45451", "--driver", "b:45451", "--allow", "ListDevices"];
      await bridged(broker, { connector, args }, async () => {
        await broker.untilPublished("rokoko/stage/a:45451-1/info", 1);
        await broker.untilPublished("rokoko/stage/b:45451-1/info", 1);
        const topic = "rokoko/stage/call/ListDevices";
        broker.send(topic, "", { responseTopic: "r" });
        const [without] = await broker.untilPublished("r", 1);
        assertStringIncludes(`${without!.payload}`, "'driver' must be one of ");
        broker.send(topic, "", { responseTopic: "r", userProperties: { driver: "b:45451" } });
        const [, answer] = await broker.untilPublished("r", 2);
        assertEquals(JSON.parse(`${answer!.payload}`).Response.Devices.length, 4);
      });
    });
  });
});

test("MQTT 5: a message that is longer than we have said ends the connection, not the process", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector }) => {
      await bridged(broker, { connector, args: LED }, async (io) => {
        await broker.untilPublished("rokoko/stage/4/info", 1);
        broker.send("rokoko/stage/1/led/set", "r".repeat(1_000_000));
        await io.until(({ err }) => /maximumPacketSize is 131072\. Trying again/.test(err));
        await io.until(({ err }) => err.includes(" again after "));
      });
    });
  });
});

test("MQTT 5: presses expire in the broker too, and no more are in flight than it takes", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector }, async (io) => {
        await broker.untilPublished("rokoko/stage/1/info", 1);
        assertEquals(io.err, `Connected to broker ${broker.url}\n`);
        await until(() => simulator.press(1, "SinglePress") > 0);
        const [press] = await broker.untilPublished("rokoko/stage/1/button", 1);
        assertEquals([press!.qos, press!.retain], [1, false]);
        assertEquals(press!.properties?.messageExpiryInterval, 10);
        const [{ will, clean }] = broker.connects as [typeof broker.connects[0]];
        assertEquals([will?.topic, `${will?.payload}`, will?.qos, will?.retain, clean], [
          ...["rokoko/stage/status", "offline", 1, true, true],
        ]);
      });
    });
  }, { receiveMaximum: 1 });
});

test("MQTT 5: what is longer than the broker takes is not sent, and said once", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector }, async (io) => {
        await io.until(({ err }) =>
          err.includes("The broker refuses 'rokoko/stage/1/info': longer than its 200 bytes\n")
        );
        await until(() => simulator.press(1, "SinglePress") > 0);
        await broker.untilPublished("rokoko/stage/1/button", 1);
        assertEquals(broker.published.some(({ topic }) => topic.endsWith("/info")), false);
        assertEquals(io.err.split("Connected").length, 2);
      });
    });
  }, { maximumPacketSize: 200 });
});

test("MQTT 5: responses to many calls at once are in flight no more than the broker takes", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector, args: ["--allow", "ListDevices"] }, async () => {
        await broker.untilPublished("rokoko/stage/4/info", 1);
        await until(() => simulator.press(1, "SinglePress") > 0);
        for (let i = 0; i < 60; i++) {
          broker.send("rokoko/stage/call/ListDevices", "", { responseTopic: "r" });
        }
        const codes = (await broker.untilPublished("r", 60)).map(({ payload }) =>
          JSON.parse(`${payload}`).Error?.Code
        );
        assertEquals(codes.filter((code) => code === undefined).length >= 32, true);
        assertEquals(new Set(codes).size <= 2, true);
        assertEquals(broker.mostInFlight <= 3, true, `${broker.mostInFlight}`);
      });
    });
  }, { receiveMaximum: 3 });
});

test("MQTT 5: a topic that the broker refuses is one sentence, and the rest continues", async () => {
  await withBroker5(async (broker) => {
    broker.reasons.set("rokoko/stage/1/info", 135);
    broker.reasons.set("rokoko/stage/1/button", 151);
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector }, async (io) => {
        await io.until(({ err }) =>
          err.includes("The broker refuses 'rokoko/stage/1/info': not authorized")
        );
        await until(() => simulator.press(1, "SinglePress") > 0);
        await io.until(({ err }) => err.includes("The broker refuses 'rokoko/stage/1/button': "));
        simulator.press(1, "SinglePress");
        await until(() => simulator.press(2, "SinglePress") > 0);
        await broker.untilPublished("rokoko/stage/2/button", 1);
        assertEquals(io.err.split("refuses 'rokoko/stage/1/button'").length, 2);
      });
    });
  });
});

test("MQTT 5: calls that are refused cannot fill the log", async () => {
  await withBroker5(async (broker) => {
    await withDriver(async ({ connector }) => {
      const args = ["--allow", "SetColorLed"];
      await bridged(broker, { connector, args }, async (io) => {
        await broker.untilPublished("rokoko/stage/1/info", 1);
        const before = performance.now();
        for (let i = 0; i < 200; i++) {
          broker.send(`rokoko/stage/call/No${i}`, "", { responseTopic: "r" });
        }
        await broker.untilPublished("r", 200);
        const lines = io.err.split("\n").filter((line) => line.includes("Call of 'No")).length;
        const seconds = (performance.now() - before) / 1_000;
        assertEquals(lines >= 1 && lines <= 20 + Math.ceil(seconds), true, `${lines} lines`);
      });
    });
  });
});
