// Check the types of the page's scripts. All are checked; all but those of LOOSE strictly: with every
// parameter typed, and null told apart. What is new is strict, and a script that has become strict is
// taken off the list.

import { createRequire } from "node:module";
import path from "node:path";

const ROOT = process.cwd();
const ts = createRequire(path.join(ROOT, "package.json"))("typescript");
const LOOSE = new Set([
  "answer.js",
  "bytes.js",
  "columns.js",
  "connections.js",
  "elements.js",
  "filter.js",
  "find.js",
  "fleet.js",
  "gaps.js",
  "hexdump.js",
  "json.js",
  "keys.js",
  "legs.js",
  "main.js",
  "opened.js",
  "overlays.js",
  "panels.js",
  "path.js",
  "reader.js",
  "response.js",
  "seek.js",
  "source.js",
  "take.js",
  "timeline.js",
  "widths.js",
  "windows.js",
]);
const STRICT = { noImplicitAny: true, strictNullChecks: true };

const read = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
const project = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT);

/** The scripts as they are compiled, with some options in place of the project's. */
function compiled(options, before) {
  const all = { ...project.options, ...options };
  return ts.createProgram(project.fileNames, all, undefined, before);
}

const nameOf = (one) => (one.file ? path.basename(one.file.fileName) : "");
const lax = compiled({});
const strict = ts.getPreEmitDiagnostics(compiled(STRICT, lax));
const wrong = [
  ...ts.getPreEmitDiagnostics(lax).filter((one) => LOOSE.has(nameOf(one))),
  ...strict.filter((one) => !LOOSE.has(nameOf(one))),
];
const host = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => ROOT,
  getNewLine: () => "\n",
};
process.stdout.write(ts.formatDiagnostics(wrong, host));
const still = new Set(strict.map(nameOf));
const done = [...LOOSE].filter((name) => !still.has(name));
for (const name of done) console.log(`${name} is strict now: take it off LOOSE in .ci/strict.js`);
process.exit(wrong.length || done.length ? 1 : 0);
