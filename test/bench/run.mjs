// `node test/bench/run.mjs check|diff|issue|lint|simulate [arguments]`: bundles a benchmark, which is TypeScript, and runs it on any
// supported Node.js. With CELLWALL_DEPTH=full its figures go to docs/results.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const [name = "", ...rest] = process.argv.slice(2);
const input = join(root, "test/bench", `${name}.ts`);
if (name === "" || !existsSync(input)) {
  process.stderr.write("usage: node test/bench/run.mjs check|diff|issue|lint|simulate [arguments]\n");
  process.exit(2);
}
const folder = join(root, ".cache", "bench");
mkdirSync(folder, { recursive: true });
const file = join(folder, `${name}.mjs`);
const bundle = await rolldown({ input, cwd: root, platform: "node", logLevel: "silent" });
await bundle.write({ file, format: "esm", codeSplitting: false });
const { status } = spawnSync(process.execPath, [file, ...rest], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
