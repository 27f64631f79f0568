/**
 * Takes the comments out of all `.js` files of a folder: they are in the `.d.ts` files beside them.
 *
 * node dev/gate/strip_comments.mjs FOLDER
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import ts from "typescript";

const folder = process.argv[2];
const { ESNext } = ts.ScriptTarget;
const compilerOptions = { target: ESNext, module: ts.ModuleKind.ESNext, removeComments: true };

for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".js")) continue;
  const path = `${folder}/${name}`;
  const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions });
  writeFileSync(path, outputText);
}
