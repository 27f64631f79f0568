/** What the messages in the log are called: a response is known by the `TrackId` of its command. */

import type { TracedFrame } from "@rcsp/rcsp/core";
import type { MessageKind } from "./message_log.ts";

/** The commands that the page sends by itself. */
const POLLS = ["ListDevices", "GetDeviceInfo", "DeviceSubscribe", "DeviceUnsubscribe"];
/** Longer bodies are not read for a name. */
const LONGEST_READ = 64 * 1024;
/** Commands without a response so far. */
const MOST_PENDING = 1_024;

interface Described {
  readonly kind: MessageKind;
  readonly name: string;
  readonly isPoll: boolean;
}

/** Describes the frames of one client, in their order. */
export class FrameNames {
  readonly #asked: string[] = [];
  readonly #pending = new Map<unknown, { readonly name: string; readonly isPoll: boolean }>();

  /** A person sends a command: it is not a poll until the returned function is called. */
  asked(name: string): () => void {
    this.#asked.push(name);
    return () => void this.#asked.splice(this.#asked.indexOf(name), 1);
  }

  /** Describes a frame: 1 a command, 2 and 3 its response, 4 an event. */
  describe(type: TracedFrame["type"], json: string): Described {
    const body = read(json);
    if (type === 1) return { kind: "command", ...this.#addCommand(body) };
    if (type === 4) return { kind: "event", name: text(body["Topic"]) ?? "Event", isPoll: false };
    const sent = this.#pending.get(body["TrackId"]);
    this.#pending.delete(body["TrackId"]);
    return { kind: type === 2 ? "ok" : "error", name: "Response", isPoll: false, ...sent };
  }

  #addCommand(body: Record<string, unknown>): { name: string; isPoll: boolean } {
    const name = text(body["Command"]) ?? "Command";
    const command = { name, isPoll: POLLS.includes(name) && !this.#asked.includes(name) };
    this.#pending.set(body["TrackId"], command);
    if (this.#pending.size > MOST_PENDING) {
      this.#pending.delete(this.#pending.keys().next().value);
    }
    return command;
  }
}

function read(json: string): Record<string, unknown> {
  if (json.length > LONGEST_READ) return {};
  try {
    const body: unknown = JSON.parse(json);
    return typeof body === "object" && body !== null ? body as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
