/**
 * Under which keys a driver takes publisher, topic and device of a subscription: tried one after the
 * other, each success taken back at once.
 *
 * @module
 */

import type { DeviceId, Dialect, JsonObject } from "@rcsp/rcsp";
import { isObject, writePath } from "../text/values.ts";
import type { RawAnswer } from "./raw_connection.ts";

/** Key paths in the arguments. */
export type Keys = Dialect["subscription"];

/** What trying came to. */
export interface Trial {
  /** The keys that were accepted first. */
  readonly accepted: Keys | undefined;
  /** Whether the driver accepts keys that mean nothing, so that its yes says nothing. */
  readonly lenient: boolean;
  /** How many were refused. */
  readonly refused: number;
  /** What the driver said to refusals, each once. */
  readonly messages: readonly string[];
  /** The answer to taking it back. */
  readonly unsubscribed: RawAnswer | undefined;
}

/** Keys that mean nothing to anybody. */
const NONSENSE: Keys = {
  publisher: "RcspNoSuchKeyA",
  topic: "RcspNoSuchKeyB",
  deviceId: "DeviceId",
};

const PUBLISHER_KEYS = ["Publisher", "Source", "PublisherName", "Channel", "Category", "Topic"];
const TOPIC_KEYS = ["Topic", "Event", "EventName", "TopicName", "Name", "EventType", "Type"];
/** Most combinations that are tried. */
const MOST = 200;
const MOST_MESSAGES = 5;

/** Names in quotes, and names of several words as `EventName`. */
const NAMES = /['"`‘“]([A-Za-z_][\w.]{0,60})['"`’”]|\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b/g;

/** Sends a command and returns its answer. */
export type Ask = (name: string, args: JsonObject) => Promise<RawAnswer>;

/** Tries keys on one device. */
export async function tryKeys(ask: Ask, dialect: Dialect, deviceId: DeviceId): Promise<Trial> {
  const { commands, subscription: assumed } = dialect;
  const { deviceId: id } = assumed;
  const pairs = PUBLISHER_KEYS.flatMap((publisher) =>
    TOPIC_KEYS.filter((topic) => topic !== publisher).map((topic) => ({ publisher, topic }))
  );
  const queue: Keys[] = [
    assumed,
    ...pairs.map((pair) => ({ ...pair, deviceId: id })),
  ];
  const tried = new Set<string>();
  const heard = new Set<string>();
  const messages = new Set<string>();
  let refused = 0;
  let unsubscribed: RawAnswer | undefined;

  const attempt = async (keys: Keys): Promise<RawAnswer> => {
    const args = subscribeArguments(dialect, keys, deviceId);
    const answer = await ask(commands.deviceSubscribe, args);
    if (!answer.ok) return answer;
    const back = await ask(commands.deviceUnsubscribe, args);
    if (keys !== NONSENSE) unsubscribed ??= back;
    return answer;
  };

  if ((await attempt({ ...NONSENSE, deviceId: id })).ok) {
    await attempt(assumed);
    return { accepted: assumed, lenient: true, refused: 0, messages: [], unsubscribed };
  }
  let accepted: Keys | undefined;
  for (let keys = queue.shift(); keys !== undefined && tried.size < MOST; keys = queue.shift()) {
    const name = JSON.stringify(keys);
    if (tried.has(name)) continue;
    tried.add(name);
    const answer = await attempt(keys);
    if (answer.ok) {
      accepted = keys;
      break;
    }
    refused++;
    const message = messageOf(answer);
    if (messages.size < MOST_MESSAGES && message !== "") messages.add(message);
    const sent = [keys.publisher, keys.topic, keys.deviceId];
    const named = namesIn(message).filter((key) =>
      !sent.includes(key) && !heard.has(key) && !isKnown(key, dialect)
    );
    // What the driver itself names is tried before anything that we make up.
    queue.unshift(...named.flatMap((key) => withKey(key, keys, [...heard])));
    for (const key of named) heard.add(key);
  }
  return { accepted, lenient: false, refused, messages: [...messages], unsubscribed };
}

/** The arguments of a subscription to the button. */
export function subscribeArguments(dialect: Dialect, keys: Keys, deviceId: DeviceId): JsonObject {
  const args: JsonObject = {};
  writePath(args, keys.deviceId, deviceId);
  writePath(args, keys.publisher, dialect.button.publisher);
  writePath(args, keys.topic, dialect.button.topic);
  return args;
}

/** The sentence of an error; empty where there is none. */
export function messageOf({ body }: RawAnswer): string {
  const error = body["Error"];
  const message = isObject(error) ? error["Message"] : undefined;
  return typeof message === "string" ? message : "";
}

function withKey(key: string, present: Keys, heard: readonly string[]): Keys[] {
  const { publisher, topic, deviceId } = present;
  if (/device/i.test(key)) return [{ publisher, topic, deviceId: key }];
  const asPublisher = [...heard, topic, ...TOPIC_KEYS].map((other) => ({
    publisher: key,
    topic: other,
    deviceId,
  }));
  const asTopic = [...heard, publisher, ...PUBLISHER_KEYS].map((other) => ({
    publisher: other,
    topic: key,
    deviceId,
  }));
  return [...asPublisher, ...asTopic].filter((keys) => keys.publisher !== keys.topic);
}

function namesIn(message: string): string[] {
  const names = Array.from(
    message.slice(0, 2_000).matchAll(NAMES),
    ([, quoted, bare]) => quoted ?? bare!,
  );
  return names.map((name) => name.replace(/^Arguments\./, ""));
}

function isKnown(key: string, { commands, button }: Dialect): boolean {
  const { publisher, topic } = button;
  return key === "Arguments" || [...Object.values(commands), publisher, topic].includes(key);
}
