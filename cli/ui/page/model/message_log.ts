/** The newest messages, bounded in number and in size. */

/** What a message is. */
export type MessageKind = "event" | "command" | "ok" | "error";

/** One message. */
export interface LoggedMessage {
  /** Counts up, for each message that was logged. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly kind: MessageKind;
  /** The command or the topic. */
  readonly name: string;
  /** The body as it was on the wire. */
  readonly json: string;
  /** Whether the page sent it by itself: the list of devices, and what is known of them. */
  readonly isPoll: boolean;
}

/** Which messages to show. */
export interface MessageFilter {
  /** Case does not count. Empty for all. */
  readonly text: string;
  readonly events: boolean;
  readonly commands: boolean;
  readonly polls: boolean;
}

const MOST_MESSAGES = 2_000;
const MOST_CHARACTERS = 4_000_000;

/** The messages, the oldest first. */
export class MessageLog {
  readonly #messages: LoggedMessage[] = [];
  #characters = 0;
  #nextId = 0;

  /** How many there are. */
  get size(): number {
    return this.#messages.length;
  }

  /** Adds a message; the oldest ones leave when there are too many. */
  add(message: Omit<LoggedMessage, "id">): void {
    this.#messages.push({ ...message, id: this.#nextId++ });
    this.#characters += message.json.length;
    let leaving = 0;
    while (
      this.#messages.length - leaving > MOST_MESSAGES ||
      (this.#characters > MOST_CHARACTERS && leaving < this.#messages.length - 1)
    ) {
      this.#characters -= this.#messages[leaving++]!.json.length;
    }
    // Not one by one: that would move all of them for each message of a burst.
    if (leaving > 0) this.#messages.splice(0, leaving);
  }

  clear(): void {
    this.#messages.length = 0;
    this.#characters = 0;
  }

  /** The newest messages that fit, the newest first. */
  newest(filter: MessageFilter, most: number): LoggedMessage[] {
    const text = filter.text.toLowerCase();
    const found: LoggedMessage[] = [];
    for (let i = this.#messages.length - 1; i >= 0 && found.length < most; i--) {
      const message = this.#messages[i]!;
      if (fits(message, filter, text)) found.push(message);
    }
    return found;
  }
}

function fits(message: LoggedMessage, filter: MessageFilter, text: string): boolean {
  const kind = message.isPoll
    ? filter.polls
    : message.kind === "event"
    ? filter.events
    : filter.commands;
  return kind && (text === "" || `${message.name} ${message.json}`.toLowerCase().includes(text));
}
