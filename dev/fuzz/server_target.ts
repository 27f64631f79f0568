/** Fuzz target: a server with two clients. One sends anything, the other must not be affected. */

import { CommandError, RcspError } from "../../src/errors.ts";
import { LIMITS } from "../../src/limits.ts";
import { RcspServer } from "../../src/server/server.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { BODIES, frame } from "./frames.ts";
import { Mutator, type Random } from "./mutator.ts";
import { isObject, referenceBody, referenceDecode } from "./reference.ts";
import { FuzzSocket, type Writing } from "./socket.ts";
import { must, type MutatedInput, type Target, turn } from "./target.ts";

const TOPIC = { publisher: "P", topic: "T" };
const CRASH = new Error("the handler fails");
const LATE_TURNS = 7;

const COMMANDS = [
  ...[
    "Echo",
    "Echo",
    "Echo",
    "Late",
    "LateRefusal",
    "Refuse",
    "Crash",
    "List",
    "Nothing",
    "__proto__",
    "",
  ]
    .map((name) => JSON.stringify({ Command: name, TrackId: "7", Version: 1 })),
  ...["a", "bb"].map((Token) =>
    JSON.stringify({ Command: "Echo", TrackId: Token, Version: 1, Arguments: { Token } })
  ),
  ...["Subscribe", "Unsubscribe"].map((Command) =>
    JSON.stringify({
      Command,
      TrackId: "s",
      Version: 1,
      Arguments: { Publisher: "P", Topic: "T" },
    })
  ),
  ...BODIES,
].map((body) => frame(1, body));
const STRAYS = [frame(2, "{}"), frame(3, "{}"), frame(4, "{}")];

export function serverTarget(): Target {
  const mutator = new Mutator();
  return {
    name: "server",
    weight: 4,
    limits: [200, LIMITS.maxPayload],
    make: (random, limit) => makeCommands(mutator, random, limit),
    check: checkServer,
  };
}

function makeCommands(mutator: Mutator, random: Random, limit: number): MutatedInput {
  mutator.begin(random, limit);
  const pick = <T>(items: readonly T[]): T => items[randomInteger(random, 0, items.length - 1)]!;
  const count = randomInteger(random, 1, 10);
  const share = random() * random();
  for (let i = 0; i < count; i++) {
    mutator.add(pick(random() < 0.98 ? COMMANDS : STRAYS));
    if (random() < share) mutator.mutate();
  }
  if (mutator.mutated === 0) {
    const kind = random();
    if (kind < 0.6) mutator.mutate();
    else if (kind < 0.9) mutator.splice(pick(COMMANDS));
    else mutator.truncate();
  }
  return { bytes: mutator.bytes, mutated: mutator.mutated };
}

async function checkServer(bytes: Uint8Array, random: Random, maxPayload: number): Promise<string> {
  const errors: unknown[] = [];
  const pick = <T>(items: readonly T[]): T => items[randomInteger(random, 0, items.length - 1)]!;
  const maxUnsent = pick([200, LIMITS.maxUnsent]);
  const writing = pick<Writing>(["at once", "at once", "late", "never"]);
  const server = new RcspServer({
    maxPayload,
    maxUnsent,
    maxQueued: pick([1, 2, LIMITS.maxQueued]),
    onError: (error) => errors.push(error),
  });
  handleAll(server);
  const victim = new FuzzSocket(random, writing);
  const witness = new FuzzSocket(random);
  server.accept(victim);
  server.accept(witness);
  witness.feed(frame(1, '{"Command":"Echo","TrackId":"before","Version":1}'));
  victim.feed(bytes);
  const end = pick(["end", "reset", "open"] as const);
  if (end !== "open") victim.finish(end);
  if (random() < 0.5) server.publish(TOPIC);
  await turn();
  if (random() < 0.5) server.publish(TOPIC);
  witness.feed(frame(1, '{"Command":"Echo","TrackId":"after","Version":1}'));
  await turn();

  const expected = expectedAnswers(bytes, maxPayload);
  const cut = expected.code !== undefined && (expected.code !== "cut-frame" || end === "end") ||
    end === "reset" || writing === "never" || maxUnsent < LIMITS.maxUnsent;
  compareAnswers(victim.output, expected.answers, cut, maxPayload < LIMITS.maxPayload);
  must(end !== "end" || writing === "never" || victim.isClosed, () => "the client is not let go");
  must(
    victim.isClosed || cut || end === "open",
    () => "the connection is neither answered nor cut",
  );
  const wrong = errors.find((error) => error !== CRASH && !isForeseen(error));
  must(wrong === undefined, () => `the server reported ${wrong}`);
  compareAnswers(witness.output, [right("before"), right("after")], false, false);

  victim.close();
  witness.close();
  await server.close();
  must(server.clients === 0, () => `${server.clients} clients are left`);
  return expected.code === "cut-frame" && end !== "end" ? "clean" : expected.code ?? "clean";
}

function handleAll(server: RcspServer): void {
  server.handle("Echo", ({ Arguments }) => ({ Echo: Arguments }));
  server.handle("Late", async () => {
    for (let i = 0; i < LATE_TURNS; i++) await null;
    return {};
  });
  const refusal = (): CommandError => new CommandError({ Code: 1, Message: "No" });
  server.handle("LateRefusal", async () => {
    await null;
    throw refusal();
  });
  server.handle("Refuse", () => {
    throw refusal();
  });
  server.handle("Crash", () => {
    throw CRASH;
  });
  server.handle("List", () => [] as unknown as undefined);
}

/** Checks what `onError` reported: a client's protocol error, or an error of our handler. */
function isForeseen(error: unknown): boolean {
  return error instanceof RcspError ||
    error instanceof TypeError && error.message.startsWith("Handler of 'List'");
}

interface Answer {
  readonly type: number;
  readonly trackId: string | undefined;
}

function right(trackId: string): Answer {
  return { type: 2, trackId };
}

/** One expected response per command, predicted from the bytes alone. */
function expectedAnswers(
  bytes: Uint8Array,
  maxPayload: number,
): { answers: Answer[]; code: string | undefined } {
  const answers: Answer[] = [];
  const decoded = referenceDecode(bytes, maxPayload);
  for (const { type, start, end } of decoded.frames) {
    if (type !== 1) return { answers, code: "unexpected-type" };
    const { value = {} } = referenceBody(bytes.subarray(start, end), LIMITS.maxDepth);
    const trackId = typeof value["TrackId"] === "string" ? value["TrackId"] : undefined;
    answers.push({ type: succeeds(value) ? 2 : 3, trackId });
  }
  return { answers, code: decoded.code };
}

function succeeds(command: Record<string, unknown>): boolean {
  const { Command, TrackId, Version } = command;
  const args = command["Arguments"] ?? {};
  if (typeof TrackId !== "string" || typeof Version !== "number" || !isObject(args)) return false;
  if (Command === "Echo" || Command === "Late") return true;
  const subscribes = Command === "Subscribe" || Command === "Unsubscribe";
  return subscribes && typeof args["Publisher"] === "string" && typeof args["Topic"] === "string";
}

/** With `narrow` a response may exceed `maxPayload` and become an error. */
function compareAnswers(
  output: Uint8Array,
  expected: readonly Answer[],
  cut: boolean,
  narrow: boolean,
): void {
  const { frames, code } = referenceDecode(output, 2 ** 32 - 1);
  must(code === undefined, () => `the server wrote ${code}`);
  const answers = frames.filter(({ type }) => type !== 4);
  must(
    cut ? answers.length <= expected.length : answers.length === expected.length,
    () => `${answers.length} answers to ${expected.length} commands`,
  );
  answers.forEach(({ type, start, end }, i) => {
    const { value } = referenceBody(output.subarray(start, end), Infinity);
    must(value !== undefined, () => `answer ${i} is not a JSON object`);
    const { trackId } = expected[i]!;
    must(value!["TrackId"] === trackId, () => `answer ${i} is for ${value!["TrackId"]}`);
    must(
      type === expected[i]!.type || narrow && type === 3,
      () => `answer ${i} has type ${type}`,
    );
  });
}
