import { assert, assertEquals } from "@std/assert";
import { connect } from "../mod.ts";
import { connectMotion, normalizeCurls } from "../motion.ts";
import { memoryNetwork, Simulator } from "../simulator.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const now = (): number => performance.timeOrigin + performance.now();

test("presses and samples of motion have times on one clock", async () => {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator({ motion: true });
  await simulator.serve(listen);
  const { hands } = await simulator.serveMotion(listen);
  const rcsp = await connect({ connector, ...simulator.address });
  const motion = await connectMotion({ connector, ...hands });
  const times: number[] = [];
  motion.on("sample", ({ receivedAt, group }, { hand }) => {
    if (group.name !== "joints_openxr") return;
    const { index } = normalizeCurls(hand!.measure()!.curls);
    assert(index >= 0 && index <= 1);
    times.push(receivedAt);
  });
  const presses = rcsp.buttonPresses(1);
  await presses.ready;
  const begun = now();
  for (let i = 0; i < 3; i++) {
    const { length } = times;
    await until(() => times.length > length);
    const before = times.at(-1)!;
    simulator.press(1, "SinglePress");
    const { value } = await presses.next();
    const count = times.length;
    await until(() => times.length > count);
    const { type, receivedAt, event } = value!;
    assertEquals([type, event.receivedAt], ["SinglePress", receivedAt]);
    // Received after the samples before it and before those after it, and so are the times.
    assert(before <= receivedAt && receivedAt <= times.at(-1)!, `${receivedAt} of ${times}`);
  }
  assert(begun <= times.at(-1)! && times.at(-1)! <= now(), "they are since 1970");
  await motion.close();
  await rcsp.close();
  await simulator.close();
});

test("all events of one chunk have one time, those of the next a later one", async () => {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator();
  await simulator.serve(listen);
  const rcsp = await connect({ connector, ...simulator.address });
  const presses = rcsp.buttonPresses(1);
  await presses.ready;
  const times: number[] = [];
  for (let chunk = 0; chunk < 3; chunk++) {
    // One turn of the event loop is one write, and so one chunk in memory.
    for (let i = 0; i < 5; i++) simulator.press(1, "SinglePress");
    for (let i = 0; i < 5; i++) times.push((await presses.next()).value!.receivedAt);
    const last = times.at(-1)!;
    await until(() => now() > last);
  }
  assertEquals(
    times.map((time) => times.indexOf(time)),
    [0, 5, 10].flatMap((i) => Array(5).fill(i)),
  );
  await rcsp.close();
  await simulator.close();
});
