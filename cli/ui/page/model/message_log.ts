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

/** The messages; the page's own polls are bounded apart, so that they push no other one out. */
export class MessageLog {
  readonly #polls = new Bounded();
  readonly #others = new Bounded();
  #nextId = 0;

  /** How many there are. */
  get size(): number {
    return this.#polls.messages.length + this.#others.messages.length;
  }

  /** Adds a message; the oldest ones leave when there are too many. */
  add(message: Omit<LoggedMessage, "id">): void {
    const kept = message.isPoll ? this.#polls : this.#others;
    kept.add({ ...message, id: this.#nextId++ });
  }

  clear(): void {
    this.#polls.clear();
    this.#others.clear();
  }

  /** The newest messages that fit, the newest first. */
  newest(filter: MessageFilter, most: number): LoggedMessage[] {
    const text = filter.text.toLowerCase();
    const polls = filter.polls ? this.#polls.newest(filter, text, most) : [];
    const others = this.#others.newest(filter, text, most);
    return [...polls, ...others].sort((a, b) => b.id - a.id).slice(0, most);
  }
}

class Bounded {
  readonly messages: LoggedMessage[] = [];
  #characters = 0;

  add(message: LoggedMessage): void {
    const { messages } = this;
    messages.push(message);
    this.#characters += message.json.length;
    let leaving = 0;
    while (
      messages.length - leaving > MOST_MESSAGES ||
      (this.#characters > MOST_CHARACTERS && leaving < messages.length - 1)
    ) {
      this.#characters -= messages[leaving++]!.json.length;
    }
    if (leaving > 0) messages.splice(0, leaving);
  }

  clear(): void {
    this.messages.length = 0;
    this.#characters = 0;
  }

  newest(filter: MessageFilter, text: string, most: number): LoggedMessage[] {
    const found: LoggedMessage[] = [];
    for (let i = this.messages.length - 1; i >= 0 && found.length < most; i--) {
      const message = this.messages[i]!;
      if (fits(message, filter, text)) found.push(message);
    }
    return found;
  }
}

function fits(message: LoggedMessage, filter: MessageFilter, text: string): boolean {
  const isShown = message.isPoll || (message.kind === "event" ? filter.events : filter.commands);
  return isShown && (text === "" || `${message.name} ${message.json}`.toLowerCase().includes(text));
}
