/**
 * What packing does to files, with the TypeScript compiler.
 *
 * node dev/pack_files.mjs FOLDER             comments out of its .js files: the .d.ts files have them
 * node dev/pack_files.mjs FOLDER SOURCE…     .d.ts files of sources, into a folder
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import process from "node:process";
import ts from "typescript";

const [folder, ...sources] = process.argv.slice(2);
const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext };
/** JSR refuses it in a source, and a project for ES2022 does not know these names without it. */
const REFERENCE = '/// <reference lib="esnext.disposable" />\n';
const DISPOSABLE = /\b(?:Async)?Disposable\b|\bSymbol\.(?:asyncD|d)ispose\b/;

for (const source of sources) {
  const { outputText } = ts.transpileDeclaration(readFileSync(source, "utf8"), {
    fileName: source,
    compilerOptions: { ...compilerOptions, isolatedDeclarations: true },
  });
  const path = `${folder}/${relative("cli", source).replace(/\.ts$/, ".d.ts")}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, outputText.replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
}

for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
  const path = `${folder}/${name}`;
  if (name.endsWith(".js") && sources.length === 0) {
    const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), {
      compilerOptions: { ...compilerOptions, removeComments: true },
    });
    writeFileSync(path, outputText);
  } else if (name.endsWith(".d.ts")) {
    const text = readFileSync(path, "utf8");
    if (DISPOSABLE.test(text)) writeFileSync(path, REFERENCE + text);
  }
}
