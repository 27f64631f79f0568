/**
 * Hands and raw samples as lines for people.
 *
 * @module
 */

import { escapeUnprintable } from "@rcsp/rcsp";
import type { MotionDevice, Sample } from "@rcsp/rcsp/motion";
import type { Paint, Style } from "../terminal/styles.ts";
import { displayWidth, fit, pad, wrap } from "../terminal/text_width.ts";
import { plural } from "../text/values.ts";
import { arrivalOf, type Calibrations, fingersOf, shownGroup } from "./facts.ts";

/** Eighths of a column, from none to seven. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** The columns of a hand; two side by side have a gap between them. */
const HAND_WIDTH = { least: 38, most: 58 };
const GAP = 2;
/** Name, gaps, curl and degrees around a bar. */
const AROUND_BAR = 22;
/** Most characters of a sentence that are shown: part of it may be foreign. */
const LONGEST_SENTENCE = 400;
/** Meters between two fingertips that touch, about. */
const TOUCH = 0.015;

/** What lines are made for. */
export interface ViewStyle {
  readonly columns: number;
  readonly paint: Paint;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Lines for all devices that have a hand: side by side where there is room. */
export function handLines(
  devices: readonly MotionDevice[],
  calibrations: Calibrations,
  style: ViewStyle,
): string[] {
  const perRow = style.columns >= 2 * HAND_WIDTH.least + GAP ? 2 : 1;
  const room = Math.floor((style.columns - GAP * (perRow - 1)) / perRow);
  const width = Math.min(room, HAND_WIDTH.most);
  const lines: string[] = [];
  for (let i = 0; i < devices.length; i += perRow) {
    const row = devices.slice(i, i + perRow);
    const blocks = row.map((device) =>
      handBlock(device, calibrations, { ...style, columns: width })
    );
    const height = Math.max(...blocks.map(({ length }) => length));
    for (let at = 0; at < height; at++) {
      lines.push(
        blocks.map((block) => block[at] ?? { text: "", painted: "" })
          .map(({ text, painted }, i) =>
            i === blocks.length - 1 ? painted : painted + pad(text, width + GAP).slice(text.length)
          ).join(""),
      );
    }
    for (const { error } of row) {
      if (error !== undefined) lines.push(...sentenceLines(error.message, style, "bad"));
    }
    lines.push("");
  }
  return lines;
}

/** Lines for the newest samples of a raw stream. */
export function sampleLines(devices: readonly MotionDevice[], style: ViewStyle): string[] {
  return devices.flatMap((device) => [
    ...(device.definition?.groups ?? []).flatMap((group) => {
      const sample = device.sample(group.id);
      const head = heading(device, `${nameOf(device)} ${group.name}`, group.id, style);
      const values = sample === undefined ? ["  no data yet"] : valueLines(sample, style);
      return [...head.map(({ painted }) => painted), ...values];
    }),
    ...(device.error === undefined ? [] : sentenceLines(device.error.message, style, "bad")),
    "",
  ]);
}

interface Line {
  readonly text: string;
  readonly painted: string;
}

function handBlock(device: MotionDevice, calibrations: Calibrations, style: ViewStyle): Line[] {
  const { columns, paint } = style;
  const group = shownGroup(device);
  const head = heading(device, `${device.hand?.side ?? "unknown"} hand`, group, style);
  const measures = fingersOf(device, calibrations);
  if (measures === undefined) return [...head, plain("  no poses yet", columns)];
  const bar = Math.max(4, columns - AROUND_BAR);
  const fingers = measures.fingers.map(({ finger, curl, degrees }): Line => {
    const numbers = `${decimal(curl, 2).padStart(4)} ${decimal(degrees, 0).padStart(4)}°`;
    const full = fullBar(curl, bar);
    const text = `  ${finger.padEnd(6)}  ${full}${" ".repeat(bar - full.length)}  ${numbers}`;
    if (text.length > columns) return plain(text, columns);
    return { text, painted: text.replace(full, () => paint("good", full)) };
  });
  const { pinch } = measures;
  const distance = `  pinch   ${decimal(pinch * 1_000, 0)} mm`;
  const touch = pinch < TOUCH ? "  touch" : "";
  const line = plain(distance + touch, columns);
  return [...head, ...fingers, {
    text: line.text,
    painted: line.text.replace("  touch", (touch) => paint("strong", touch)),
  }];
}

function heading(
  device: MotionDevice,
  name: string,
  group: number | undefined,
  { columns, paint, now }: ViewStyle,
): Line[] {
  const { rate, jitter, age, gaps, dropped } = arrivalOf(device, group, now);
  const old = age < 10_000 ? `${age.toFixed(0)} ms` : `${(age / 1_000).toFixed(0)} s`;
  const title = fit(escapeUnprintable(name.slice(0, columns)), columns);
  const state = device.stale ? "no data" : `${rate.toFixed(0)} Hz`;
  const rest = fit(`  ${state}  age ${old}`, columns - displayWidth(title));
  return [
    {
      text: title + rest,
      painted: paint("strong", title) + rest.replace("no data", () => paint("bad", "no data")),
    },
    plain(`  jitter ${jitter.toFixed(1)} ms, ${plural(gaps, "gap")}, ${dropped} dropped`, columns),
  ];
}

function valueLines(sample: Sample, { columns }: ViewStyle): string[] {
  return sample.group.streams.map((stream) => {
    const name = [stream.targetFrame, stream.measureType].filter((text) => text !== undefined);
    const safe = escapeUnprintable(name.join(" ").slice(0, columns)) || `stream ${stream.index}`;
    const values = Array.from<number | bigint, string>(
      sample.values(stream),
      (value) =>
        typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : `${value}`,
    );
    const label = pad(fit(safe, Math.max(8, Math.floor(columns / 2))), Math.min(32, columns / 2));
    return fit(`  ${label} ${values.map((value) => value.padStart(7)).join("")}`, columns);
  });
}

function fullBar(share: number, columns: number): string {
  if (!(share > 0)) return "";
  const eighths = Math.round(Math.min(1, share) * columns * 8);
  return "█".repeat(eighths >> 3) + EIGHTHS[eighths & 7];
}

function plain(text: string, columns: number): Line {
  const shown = fit(text, columns);
  return { text: shown, painted: shown };
}

/** A foreign sentence in lines that are not too wide. */
export function sentenceLines(
  message: string,
  { columns, paint }: ViewStyle,
  style: Style,
): string[] {
  const safe = escapeUnprintable(message.slice(0, LONGEST_SENTENCE));
  return wrap(safe, columns).map((line) => paint(style, fit(line, columns)));
}

function nameOf({ id, definition }: MotionDevice): string {
  return `${definition?.deviceType ?? "device"} ${id}`;
}

function decimal(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "-";
}
