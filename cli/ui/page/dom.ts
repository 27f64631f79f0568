/** Makes elements. Text goes in as text only, never as markup. */

import { escapeUnprintable } from "@rcsp/rcsp/core";

/** The properties of an element; `data-…` and `aria-…` and `role` become attributes. */
type Properties<E> = { readonly [K in keyof E]?: E[K] } & {
  readonly [name: `data-${string}`]: string;
} & {
  readonly [name: `aria-${string}`]: string;
} & { readonly role?: string; readonly for?: string };

/** Makes an element with properties and children. A child that is a text becomes a text node. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<HTMLElementTagNameMap[K]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(?:data-|aria-|role$|for$)/.test(name)) made.setAttribute(name, String(value));
    else (made as unknown as Record<string, unknown>)[name] = value;
  }
  made.append(...children);
  return made;
}

/** Writes a text if it is another one, so that nothing is laid out anew and no selection is lost. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A text from the driver as the page shows it: without controls, bidi overrides and excess. */
export function foreignText(text: string, length = 400, options?: { layout: boolean }): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return escapeUnprintable(cut, options);
}

/** A button with a text. */
export function button(
  text: string,
  onclick: () => unknown,
  properties: Properties<HTMLButtonElement> = {},
): HTMLButtonElement {
  return element("button", { type: "button", textContent: text, onclick, ...properties });
}

/** A button that copies a text, and says so for a moment. */
export function copyButton(
  label: string,
  text: () => string,
  properties: Properties<HTMLButtonElement> = {},
): HTMLButtonElement {
  const made = button(label, async () => {
    try {
      // Missing where the page came without encryption from another machine.
      await navigator.clipboard.writeText(text());
      flash("copied", "Copied");
    } catch {
      flash("failed", "Not copied");
    }
  }, properties);
  const flash = (result: string, words: string): void => {
    made.dataset["result"] = result;
    announce(words);
    setTimeout(() => {
      delete made.dataset["result"];
      announce("");
    }, 1200);
  };
  return made;
}

/** Has screen readers say a text. */
function announce(words: string): void {
  document.querySelector(".announcer")!.textContent = words;
}

/** The color of a custom property, as a canvas takes it: as the theme resolves it for that canvas. */
export function canvasColor(canvas: HTMLCanvasElement, name: string): string {
  canvas.style.color = `var(${name})`;
  return getComputedStyle(canvas).color;
}

/** The heading of a panel, with what is at its end. */
export function heading(text: string, ...end: readonly Node[]): HTMLElement {
  return element("div", { className: "heading" }, element("h2", {}, text), ...end);
}
