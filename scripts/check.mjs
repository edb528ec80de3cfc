// `npm run check`: format, lint, types, unit tests with the architecture, generated-code drift. Prints one line a step.
import { join } from "node:path";
import { install, requireNode, root, run } from "./environment.mjs";

requireNode();
await install();

const bin = (...path) => join(root, "node_modules", ...path);
const steps = [
  ["format and lint", [bin("@biomejs", "biome", "bin", "biome"), "ci", "--error-on-warnings", "."]],
  ["types", [bin("typescript", "bin", "tsc"), "-p", "tsconfig.json"]],
  ["generated code", [join(root, "scripts", "gen.mjs"), "--check"]],
  ["unit tests", [bin("vitest", "vitest.mjs"), "run", "--project", "unit", "--reporter=dot"]],
];
for (const [name, args] of steps) {
  const started = Date.now();
  const code = await run(process.execPath, args);
  process.stdout.write(`${code === 0 ? "ok" : "FAILED"}  ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
  if (code !== 0) process.exit(1);
}
