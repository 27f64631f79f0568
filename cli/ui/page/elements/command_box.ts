/** A line for any command that the bridge allows, with a history as a shell has it. */

import { button, copyButton, element, foreignText, heading, setText } from "../dom.ts";
import { History, parseCommand } from "../model/command_line.ts";
import type { DeviceStore } from "../model/device_store.ts";
import type { Session } from "../model/session.ts";
import { load, save } from "../model/storage.ts";
import { Panel } from "./panel.ts";

const KEY = "rcsp.history";
const READ_COMMANDS = ["ListDevices", "GetDeviceInfo"];
const LONGEST_RESULT = 20_000;

/** `<rcsp-command>` */
export class CommandBox extends Panel {
  readonly #line = element("input", {
    type: "text",
    ariaLabel: "Command and arguments",
    placeholder: 'GetDeviceInfo {"DeviceId": 1}',
    spellcheck: false,
    autocapitalize: "off",
    autocomplete: "off",
  });
  readonly #chips = element("div", { className: "chips" });
  readonly #result = element("pre", { tabIndex: 0, ariaLabel: "Result", role: "status" });
  readonly #copy = copyButton("Copy", () => this.#response, { className: "quiet", hidden: true });
  readonly #history = new History(readHistory());
  #session!: Session;
  #devices!: DeviceStore;
  #response = "";
  #shownChips = "";

  attach(session: Session, devices: DeviceStore): void {
    this.#session = session;
    this.#devices = devices;
    const send = element("button", { type: "submit" }, "Send");
    const form = element("form", {}, this.#line, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#line.addEventListener("keydown", (event) => this.#onKey(event));
    this.append(heading("Command", this.#copy), form, this.#chips, this.#result);
    session.on("bridge", ({ allow }) => this.#showChips([...READ_COMMANDS, ...allow]));
    this.#say("Enter sends, the up arrow brings back earlier commands.", "hint");
  }

  async #send(): Promise<void> {
    const line = this.#line.value;
    try {
      const { name, args } = parseCommand(line);
      this.#history.add(line.trim());
      save("sessionStorage", KEY, JSON.stringify(this.#history.lines));
      this.#line.value = "";
      this.#say(`${name} …`, "hint");
      const { response } = await this.#session.send(name, args);
      this.#say(JSON.stringify(response, null, 2), "ok");
    } catch (error) {
      this.#say((error as Error).message, "error");
    }
  }

  #say(text: string, kind: "ok" | "error" | "hint"): void {
    this.#response = kind === "hint" ? "" : text;
    this.#copy.hidden = kind === "hint";
    this.#result.dataset["kind"] = kind;
    setText(this.#result, foreignText(text, LONGEST_RESULT, { layout: true }));
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    this.#line.value = this.#history.move(event.key === "ArrowUp" ? -1 : 1, this.#line.value);
  }

  #showChips(names: readonly string[]): void {
    const shown = names.join(" ");
    if (shown === this.#shownChips) return;
    this.#shownChips = shown;
    this.#chips.replaceChildren(
      ...names.map((name) =>
        button(foreignText(name, 40), () => this.#prefill(name), { className: "pill" })
      ),
    );
  }

  /** Puts a command into the line, with the first device as an example. */
  #prefill(name: string): void {
    const id = this.#devices.all[0]?.key ?? "1";
    const args = name === "ListDevices"
      ? ""
      : name === "SetColorLed"
      ? ` {"DeviceId": ${id}, "LedId": "RingLed", "Red": 0, "Green": 160, "Blue": 255}`
      : ` {"DeviceId": ${id}}`;
    this.#line.value = name + args;
    this.#line.focus();
  }
}

function readHistory(): string[] {
  return JSON.parse(load("sessionStorage", KEY) ?? "[]") as string[];
}
