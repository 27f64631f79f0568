import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodePacket } from "../cli/osc/decode.ts";
import { encodeMessage, floats, LONGEST_DATAGRAM, text } from "../cli/osc/messages.ts";
import { FINGERS } from "../src/motion/joints.ts";
import { assertFails, rcsp, withDriver } from "./support/cli_io.ts";
import { sending, withOscTool } from "./support/osc.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("presses go to the side of their glove, or to its id; the status is reported", async () => {
  await withOscTool(async (tool) => {
    const devices = [
      { DeviceId: 7, Name: "Smartglove", info: { Side: "Right" }, hasButton: true },
      { DeviceId: "x y", Name: "Suit", hasButton: true },
      { DeviceId: 8, Name: "Second right", hasButton: true },
    ];
    await withDriver(async ({ simulator, connector }) => {
      const code = await sending(tool, { connector }, async (io) => {
        assertEquals((await tool.first("/rokoko/status")).values, ["ready"]);
        await until(() => simulator.press(7, "DoublePress") > 0);
        assertEquals((await tool.first("/rokoko/right/button")).values, ["DoublePress"]);
        await until(() => simulator.press("x y", "LongPress") > 0);
        await tool.first("/rokoko/device/x%2520y/button");
        await until(() => simulator.press(8, "SinglePress") > 0);
        await tool.first("/rokoko/device/8/button");
        assertStringIncludes(io.err, `Sending OSC to 127.0.0.1:${tool.port}\n`);
        await io.until(({ err }) => /^No hands yet, only buttons: .*12277/m.test(err));
      });
      assertEquals(code, 0);
    }, { devices });
    await until(() => tool.messages.at(-1)?.values[0] === "closed");
  });
});

test("hands are curls, pinch and wrist, in bundles of the types i, f and s", async () => {
  await withOscTool(async (tool) => {
    await sending(tool, { args: ["--simulate"] }, async () => {
      for (const side of ["left", "right"]) {
        const { values: curls } = await tool.first(`/rokoko/${side}/curl`);
        assertEquals(curls.length, 5);
        assertEquals(curls.every((curl) => Number(curl) >= 0 && Number(curl) <= 1), true);
        const { values: [pinch] } = await tool.first(`/rokoko/${side}/pinch`);
        assertEquals(Number(pinch) > 0 && Number(pinch) < 0.3, true);
        const { values: wrist } = await tool.first(`/rokoko/${side}/wrist`);
        assertEquals(Math.abs(Math.hypot(...wrist as number[]) - 1) < 1e-4, true);
      }
    });
    const types = new Set(
      tool.datagrams.flatMap(decodePacket).flatMap(({ args }) => args.map(({ type }) => type)),
    );
    assertEquals([...types].sort(), ["f", "s"]);
    assertEquals(tool.messages.some(({ address }) => address.includes("/joint/")), false);
  });
});

test("--floats has an address for each finger, --joints all 26 joints, split below 1,472 bytes", async () => {
  await withOscTool(async (tool) => {
    await sending(tool, { args: ["--simulate", "--floats", "--joints"] }, async () => {
      for (const finger of FINGERS) {
        assertEquals((await tool.first(`/rokoko/left/curl/${finger}`)).values.length, 1);
      }
      const { values } = await tool.first("/rokoko/right/joint/index_tip");
      assertEquals(values.length, 7);
      await tool.first("/rokoko/left/joint/palm");
      await tool.first("/rokoko/left/joint/little_tip");
    });
    assertEquals(tool.messages.some(({ address }) => address === "/rokoko/left/curl"), false);
    assertEquals(tool.datagrams.every(({ length }) => length < LONGEST_DATAGRAM), true);
    assertEquals(tool.datagrams.some(({ length }) => length > 1_000), true);
    const joints = new Set(
      tool.messages.map(({ address }) => address).filter((name) => name.includes("left/joint/")),
    );
    assertEquals(joints.size, 26);
  });
});

test("--vmc sends 15 finger bones of each hand, with rotations of length 1", async () => {
  await withOscTool(async (tool) => {
    await sending(tool, { args: ["--simulate", "--vmc"] }, async () => {
      const bones = () =>
        new Map(
          tool.messages.filter(({ address }) => address === "/VMC/Ext/Bone/Pos")
            .map(({ values: [name, ...numbers] }) => [name, numbers as number[]]),
        );
      await until(() => bones().size === 30);
      for (const name of ["LeftThumbProximal", "RightIndexIntermediate", "LeftLittleDistal"]) {
        assertEquals(bones().has(name), true, name);
      }
      for (const numbers of bones().values()) {
        assertEquals(numbers.length, 7);
        assertEquals(Math.abs(Math.hypot(...numbers.slice(3)) - 1) < 1e-4, true);
      }
      assertEquals((await tool.first("/VMC/Ext/OK")).values, [1]);
      assertEquals(tool.messages.some(({ address }) => address.endsWith("/curl")), false);
    });
  });
});

test("--vmc: a finger that bends turns down, as a character with its arms out would", async () => {
  await withOscTool(async (tool) => {
    await sending(tool, { args: ["--simulate", "--vmc"] }, async () => {
      // The second bone of a finger turns about its hinge only, by up to 88 degrees.
      const down = (name: string): number[] =>
        tool.messages.filter(({ address, values }) =>
          address === "/VMC/Ext/Bone/Pos" && values[0] === name
        ).map(({ values }) => Number(values[6])).filter((z) => Math.abs(z) > 0.3);
      await until(() => down("LeftIndexIntermediate").length > 0);
      await until(() => down("RightIndexIntermediate").length > 0);
      assertEquals(down("LeftIndexIntermediate").every((z) => z > 0), true);
      assertEquals(down("RightIndexIntermediate").every((z) => z < 0), true);
    });
  });
});

/** The port in `Listening for OSC on 127.0.0.1:PORT`. */
const listening = (err: string): number =>
  Number(/Listening for OSC on \S+:(\d+)\n/.exec(err)?.[1]);
const LISTEN = ["--listen", "127.0.0.1:0", "--allow", "SetColorLed"];

test("--listen accepts colors as text, three i or three f; all else is one sentence", async () => {
  await withOscTool(async (tool) => {
    await withDriver(async ({ connector, commands }) => {
      const set = () => commands.filter(([name]) => name === "SetColorLed").map(([, args]) => args);
      await sending(tool, { connector, args: LISTEN }, async (io) => {
        await io.until(({ err }) => listening(err) > 0);
        const port = listening(io.err);
        // The devices are known when a color arrives.
        await until(() => {
          void tool.send(port, encodeMessage(text("/rokoko/left/led", "red")));
          return set().length > 0;
        });
        const send = async (message: Uint8Array, rgb: number[]): Promise<void> => {
          await tool.send(port, message);
          const [Red, Green, Blue] = rgb;
          await until(() =>
            set().some((args) =>
              args["Red"] === Red && args["Green"] === Green && args["Blue"] === Blue
            )
          );
        };
        const ints = (...values: number[]) =>
          values.map((value) => ({ type: "i" as const, value }));
        await send(encodeMessage(text("/rokoko/right/led", "#010203")), [1, 2, 3]);
        await send(encodeMessage(floats("/rokoko/left/led", [1, 0.5, 0])), [255, 128, 0]);
        await send(encodeMessage({ address: "/rokoko/left/led", args: ints(1, 1, 1) }), [1, 1, 1]);
        await send(encodeMessage(text("/rokoko/device/3/led", "#040506")), [4, 5, 6]);
        const before = set().length;
        const wrong: [message: Uint8Array, sentence: string][] = [
          [
            encodeMessage(text("/rokoko/left/led", "reddish")),
            "Invalid color for /rokoko/left/led",
          ],
          [
            encodeMessage(floats("/rokoko/right/led", [2, 0, 0])),
            "Invalid color for /rokoko/right",
          ],
          [encodeMessage(floats("/rokoko/device/3/led", [NaN, 0, 0])), "for /rokoko/device/3/led"],
          [encodeMessage({ address: "/rokoko/device/4/led", args: ints(1, 2) }), "device/4/led"],
          [encodeMessage(text("/rokoko/nobody/led", "red")), "'/rokoko/nobody/led': no LED has it"],
          [encodeMessage(text("/\x1b[2J", "red")), "'/\\u001b[2J': no LED has it"],
          [new Uint8Array(60_000), "Ignored an OSC packet: 60000 bytes: at most 4096"],
          [Uint8Array.of(1, 2, 3), "Ignored an OSC packet: its 3 bytes are not a multiple of 4"],
        ];
        for (const [packet, sentence] of wrong) {
          await tool.send(port, packet);
          await io.until(({ err }) => err.includes(sentence));
        }
        for (let i = 0; i < 100; i++) await tool.send(port, Uint8Array.of(1, 2, 3));
        await send(encodeMessage(text("/rokoko/left/led", "#070809")), [7, 8, 9]);
        assertEquals(set().length, before + 1);
        assertEquals(io.err.split("its 3 bytes").length, 2);
      });
    });
  });
});

test("a wrong command line is a usage error, and a host that is not there is code 3", async () => {
  const wrong: [sentence: RegExp, code: number, ...args: string[]][] = [
    [/Missing <host:port>/, 2],
    [/Invalid address 'x': expected HOST:PORT, such as localhost:7000/, 2, "x"],
    [/Invalid address 'x:0'/, 2, "x:0"],
    [/Invalid address 'x:70000'/, 2, "x:70000"],
    [/'--listen' needs '--allow'/, 2, "127.0.0.1:1", "--listen", "7001"],
    [/'--allow' needs '--listen'/, 2, "127.0.0.1:1", "--allow", "SetColorLed"],
    [/Invalid '--allow' 'Reboot'/, 2, "127.0.0.1:1", "--listen", "1", "--allow", "Reboot"],
    [/Cannot use '--floats' together with '--vmc'/, 2, "127.0.0.1:1", "--vmc", "--floats"],
    [/Invalid '--rate' '0'/, 2, "127.0.0.1:1", "--rate", "0"],
    [/Cannot send to nowhere\.invalid:7000: unknown host/, 3, "nowhere.invalid:7000", "--simulate"],
  ];
  for (const [sentence, code, ...args] of wrong) {
    const result = await rcsp(["osc", ...args]);
    assertFails(result, code);
    assertMatch(result.err, sentence);
  }
});

test("a port that is in use for --listen is code 3", async () => {
  await withOscTool(async ({ port }) => {
    const listen = ["--listen", `${port}`, "--allow", "SetColorLed"];
    const { code, err } = await rcsp(["osc", "127.0.0.1:9", "--simulate", ...listen]);
    assertEquals(code, 3);
    assertMatch(err, /^rcsp: Cannot listen on 127\.0\.0\.1:\d+: address already in use\n$/m);
  });
});

test("datagrams that nobody receives are lost, and the command continues", async () => {
  let port = 0;
  await withOscTool(async (tool) => {
    port = tool.port;
    await Promise.resolve();
  });
  await withDriver(async ({ connector, simulator }) => {
    const code = await sending({ port }, { connector }, async (io) => {
      await io.until(({ err }) => err.includes("Sending OSC"));
      await until(() => simulator.press(1, "SinglePress") > 0);
      await until(() => simulator.press(2, "SinglePress") > 0);
    });
    assertEquals(code, 0);
  });
});

test("presses of a device without an address wait for the list of devices, 100 at most", async () => {
  const devices = Array.from({ length: 300 }, (_, i) => ({
    DeviceId: i,
    Name: "Suit",
    hasButton: true,
  }));
  await withOscTool(async (tool) => {
    await withDriver(async ({ connector, simulator }) => {
      await sending(tool, { connector }, async () => {
        await until(() => simulator.press(299, "DoublePress") > 0);
        const got = () => tool.messages.filter(({ address }) => address.includes("device/299/"));
        await until(() => got().length > 0);
        const first = got().length;
        const [asked, listed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        simulator.server.handle("ListDevices", async () => {
          asked.resolve();
          await listed.promise;
          return { Devices: devices.map(({ DeviceId, Name }) => ({ DeviceId, Name })) };
        });
        for (let i = 0; i < 150; i++) simulator.press(299, "SinglePress");
        await asked.promise;
        listed.resolve();
        await until(() => got().length === first + 100);
        simulator.press(299, "LongPress");
        await until(() => got().length === first + 101);
        assertEquals(got().at(-1)!.values, ["LongPress"]);
      });
    }, { devices });
  });
});

test("--listen for other machines says what that means", async () => {
  const args = ["--listen", "0.0.0.0:0", "--allow", "SetColorLed", "--simulate"];
  await withOscTool(async (tool) => {
    await sending(tool, { args }, async (io) => {
      await io.until(({ err }) => err.includes("Warning: other machines can send colors"));
    });
  });
});
