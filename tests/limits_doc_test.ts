import { assert, assertEquals, assertThrows } from "@std/assert";
import { readFile } from "node:fs/promises";
import { limit, LIMITS, type Limits } from "../src/limits.ts";
import { test } from "./support/test.ts";

const COLUMNS = ["limit", "default", "unit", "largest", "side", "what happens at it"];
const text = await readFile(new URL("../docs/limits.md", import.meta.url), "utf8");
const [head = [], , ...rows] = text.split("\n").filter((line) => line.startsWith("|")).map((line) =>
  line.split("|").slice(1, -1).map((cell) => cell.trim())
);
const names = Object.keys(LIMITS) as (keyof Limits)[];

test("docs/limits.md has a row for every limit, in the order of src/limits.ts, and no other", () => {
  assertEquals(head, [...COLUMNS, "how to change it"]);
  assertEquals(rows.map(([name]) => name), names.map((name) => `\`${name}\``));
});

for (const name of names) {
  const row = rows.find(([cell]) => cell === `\`${name}\``) ?? [];
  const [, value, unit, largest, side, what, how] = row;

  test(`docs/limits.md has the right default of '${name}', and the largest value`, () => {
    const expected = LIMITS[name] === Infinity ? "none" : LIMITS[name].toLocaleString("en-US");
    assertEquals(value, expected);
    if (largest === "") return assertEquals(limit(name, Number.MAX_SAFE_INTEGER), 2 ** 53 - 1);
    const most = Number(largest?.replaceAll(",", ""));
    assertEquals(limit(name, most), most);
    assertThrows(() => limit(name, most + 1), RangeError);
  });

  test(`docs/limits.md has the unit of '${name}', its side, what happens and how to change it`, () => {
    assert(
      ["bytes", "levels", "commands", "ms", "events", "clients", "subscriptions", "characters"]
        .includes(unit!),
    );
    assert(["both", "client", "server"].includes(side!));
    assert(what !== undefined && what.length > 20);
    assert(how?.includes(name) || name === "closeTimeout", "the option is named");
  });
}
