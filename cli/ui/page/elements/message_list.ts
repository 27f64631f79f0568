/** The messages, with a filter. A click copies one as it was on the wire. */

import { button, copyButton, element, foreignText, heading, setText } from "../dom.ts";
import { clockTime } from "../format.ts";
import type { LoggedMessage, MessageFilter } from "../model/message_log.ts";
import type { Session } from "../model/session.ts";
import { oncePerFrame } from "../schedule.ts";
import { Panel } from "./panel.ts";

const MOST_ROWS = 100;
const ROW_LENGTH = 300;
const KINDS: Record<LoggedMessage["kind"], string> = {
  event: "event",
  command: "sent",
  ok: "ok",
  error: "error",
};

/** `<rcsp-log>` */
export class MessageList extends Panel {
  readonly #text = element("input", {
    type: "search",
    placeholder: "Filter",
    ariaLabel: "Filter messages",
    spellcheck: false,
  });
  readonly #events = checkbox("Events", true);
  readonly #commands = checkbox("Commands", true);
  readonly #polls = checkbox("Polls", false);
  readonly #pause = button("Pause", () => this.#togglePause(), { className: "quiet" });
  readonly #rows = element("ol", {
    className: "messages",
    tabIndex: 0,
    ariaLabel: "Messages, arrow keys to move, Enter to copy",
  });
  readonly #empty = element(
    "p",
    { className: "empty" },
    "No message yet. Press a device's button.",
  );
  readonly #shown = new Map<number, HTMLElement>();
  #session!: Session;
  #isPaused = false;

  attach(session: Session): void {
    this.#session = session;
    const clear = button("Clear", () => {
      session.log.clear();
      this.#draw();
    }, { className: "quiet" });
    const boxes = [this.#events, this.#commands, this.#polls];
    this.append(
      heading("Messages", this.#pause, clear),
      element("div", { className: "filter" }, this.#text, ...boxes.map(({ label }) => label)),
      element("div", { className: "scroll" }, this.#empty, this.#rows),
    );
    const draw = oncePerFrame(() => this.#draw());
    session.on("log", () => {
      if (!this.#isPaused) draw();
    });
    this.#rows.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("input", draw);
    for (const { box } of boxes) box.addEventListener("change", draw);
  }

  /** One stop of the Tab key for all rows; the arrow keys lead from one to the next. */
  #onKey(event: KeyboardEvent): void {
    const rows = [...this.#rows.querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
  }

  #togglePause(): void {
    this.#isPaused = !this.#isPaused;
    setText(this.#pause, this.#isPaused ? "Resume" : "Pause");
    this.#draw();
  }

  #draw(): void {
    const filter: MessageFilter = {
      text: this.#text.value,
      events: this.#events.box.checked,
      commands: this.#commands.box.checked,
      polls: this.#polls.box.checked,
    };
    const messages = this.#session.log.newest(filter, MOST_ROWS);
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, row] of this.#shown) {
      if (ids.has(id)) continue;
      // Else the keyboard would be at the start of the page.
      if (row.contains(document.activeElement)) this.#rows.focus();
      row.remove();
      this.#shown.delete(id);
    }
    // From the end, so that a new row at the top moves no other one.
    let after: HTMLElement | null = null;
    for (const message of messages.reverse()) {
      const row = this.#shown.get(message.id) ?? rowOf(message);
      this.#shown.set(message.id, row);
      if (!row.isConnected || row.nextElementSibling !== after) {
        this.#rows.insertBefore(row, after);
      }
      after = row;
    }
    this.#empty.hidden = messages.length > 0;
    setText(
      this.#empty,
      this.#session.log.size > 0 && filter.text !== ""
        ? "No message fits the filter."
        : "No message yet. Press a device's button.",
    );
  }
}

function rowOf({ time, kind, name, json }: LoggedMessage): HTMLElement {
  const row = copyButton("", () => json, {
    title: "Copy as JSON",
    tabIndex: -1,
    "aria-label": `${KINDS[kind]} ${foreignText(name, 40)} at ${clockTime(time)}: copy as JSON`,
  });
  row.append(
    element("time", {}, clockTime(time)),
    element("span", { className: "kind", "data-kind": kind }, KINDS[kind]),
    element("span", { className: "name", dir: "auto" }, foreignText(name, 40)),
    element("code", {}, foreignText(json, ROW_LENGTH)),
  );
  return element("li", {}, row);
}

function checkbox(name: string, checked: boolean): { label: HTMLElement; box: HTMLInputElement } {
  const box = element("input", { type: "checkbox", checked });
  return { box, label: element("label", {}, box, name) };
}
