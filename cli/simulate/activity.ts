/**
 * What happens at a simulator, as lines: commands with their arguments, and presses with who got them.
 *
 * @module
 */

import type { JsonObject, JsonValue, PressType, Socket } from "@rcsp/rcsp";
import { type Color, parseColor } from "@rcsp/rcsp/server";
import { FrameDecoder, PayloadType } from "@rcsp/rcsp/wire";
import type { Context } from "../command_line/command.ts";
import { formatColor } from "../driver/led_color.ts";
import { words } from "../terminal/output.ts";
import { painter } from "../terminal/styles.ts";
import { isObject, plural } from "../text/values.ts";

/** Most bytes of a command that are looked at. */
const READ = 16_384;

/** Shows what happens, on stderr. */
export class Activity {
  readonly #context: Context;
  readonly #log: (text: string, own?: string) => void;
  /** Whether the terminal shows any color: a block of it goes beside its digits. */
  readonly #hasColors: boolean;
  /** For each press of this turn, the clients that got it, and what shows it. */
  readonly #presses = new Map<Set<number>, () => void>();
  #clients = 0;

  constructor(context: Context, log: (text: string, own?: string) => void) {
    this.#context = context;
    this.#log = log;
    const { io, line } = context;
    const env = (name: string): string | undefined => io.env(name);
    const isPainted = painter(io.stderr, env, line.on("no-color"))("strong", "x") !== "x";
    this.#hasColors = isPainted && ["truecolor", "24bit"].includes(env("COLORTERM") ?? "");
  }

  /** Watches a client; call it for each, in the order in which they come. */
  watch(socket: Socket): void {
    const client = ++this.#clients;
    const [read, write] = [socket.read.bind(socket), socket.write.bind(socket)];
    const received = frames((type, payload) => {
      if (type === PayloadType.Command) this.#onCommand(client, payload);
    });
    const sent = frames((type) => {
      if (type !== PayloadType.Event) return;
      for (const clients of this.#presses.keys()) clients.add(client);
    });
    socket.read = async () => {
      const chunk = await read();
      if (chunk) received(chunk);
      return chunk;
    };
    socket.write = (bytes) => {
      sent(bytes);
      return write(bytes);
    };
  }

  /** Makes and shows a press. Returns the number of its subscribers. */
  press(name: string, type: PressType, press: () => number): number {
    const clients = new Set<number>();
    const count = press();
    // Events of one turn go out together, after it.
    const show = (): void => {
      this.#context.clock.clear(timer);
      this.#presses.delete(clients);
      const numbers = [...clients].sort((one, other) => one - other).join(", ");
      const who = count === 0
        ? "no client has subscribed"
        : clients.size === count
        ? `sent to client${count === 1 ? "" : "s"} ${numbers}`
        : `sent to ${plural(count, "client")}`;
      this.#log(`${type} of ${name}: ${who}`);
    };
    const timer = this.#context.clock.set(show, 0);
    this.#presses.set(clients, show);
    return count;
  }

  /** Shows what is left to show. */
  close(): void {
    for (const show of this.#presses.values()) show();
  }

  #onCommand(client: number, payload: Uint8Array): void {
    const body = payload.length > READ ? undefined : readJson(payload);
    if (!isObject(body)) {
      return this.#log(`Client ${client}: a command of ${payload.length} bytes`);
    }
    const args = isObject(body["Arguments"]) ? body["Arguments"] : {};
    const pairs = Object.entries(args).map(([key, value]) => ` ${key}=${words(value)}`);
    const text = `Client ${client}: ${words(body["Command"])}${pairs.join("")}`;
    const color = body["Command"] === "SetColorLed" ? readColor(args) : undefined;
    if (color === undefined) return this.#log(text);
    const { Red, Green, Blue } = color;
    const block = this.#hasColors ? ` \x1b[48;2;${Red};${Green};${Blue}m    \x1b[0m` : "";
    this.#log(`${text} ${formatColor(color)}`, block);
  }
}

/** Decodes the chunks of a stream; stops at the first byte that is not RCSP. */
function frames(
  onFrame: (type: PayloadType, payload: Uint8Array) => void,
): (chunk: Uint8Array) => void {
  const decoder = new FrameDecoder();
  let isForeign = false;
  return (chunk) => {
    try {
      if (!isForeign) decoder.push(chunk, onFrame);
    } catch {
      isForeign = true;
    }
  };
}

function readJson(payload: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}

function readColor({ Red, Green, Blue }: JsonObject): Color | undefined {
  try {
    return parseColor(JSON.stringify([Red, Green, Blue]).slice(1, -1));
  } catch {
    return undefined;
  }
}
