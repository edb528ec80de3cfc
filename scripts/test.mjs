// `npm test`: everything, at the depth that CELLWALL_DEPTH names. Ends with the line `N passed, N failed`.
// CELLWALL_SKIPS=fail turns each skipped test into a failure. Arguments go to vitest.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, install, requireNode, root, run } from "./environment.mjs";

requireNode();
const depth = process.env.CELLWALL_DEPTH ?? "quick";
if (depth !== "quick" && depth !== "full") {
  process.stderr.write(`CELLWALL_DEPTH is \`${depth}\`: it must be quick or full\n`);
  process.exit(2);
}
await install();
await build();

const given = process.argv.slice(2);
// Tests on real Envoys have deadlines of a quarter of a second: they run after the others, not beside them.
const stages = given.some((arg) => arg.startsWith("--project"))
  ? [given]
  : [
      ["--project", "unit", "--project", "property", ...given],
      ["--project", "system", ...given],
    ];
const folder = mkdtempSync(join(tmpdir(), "cellwall-test-"));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const reports = [];
let code = 0;
for (const [index, args] of stages.entries()) {
  const report = join(folder, `report-${index}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ended = await run(process.execPath, [vitest, "run", "--passWithNoTests", ...reporters, ...args]);
  reports.push(report);
  code ||= ended;
  // Interrupted: what follows is not wanted any more.
  if (ended > 1) break;
}
const failed = summarize();
rmSync(folder, { recursive: true, force: true });
process.exit(code === 0 && failed === 0 ? 0 : 1);

function summarize() {
  let results;
  try {
    results = reports.map((report) => JSON.parse(readFileSync(report, "utf8")));
  } catch {
    process.stdout.write("\nno test report was written: the run ended before its tests did\n0 passed, 1 failed\n");
    return 1;
  }
  const files = results.flatMap((result) => result.testResults);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const tests = files.flatMap((file) => file.assertionResults);
  if (tests.length === 0) {
    process.stdout.write("\nno test matches what was asked for\n0 passed, 1 failed\n");
    return 1;
  }
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}\n`);
  const skipsFail = process.env.CELLWALL_SKIPS === "fail";
  const brokenFiles = files.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  const failures = sum("numFailedTests") + brokenFiles + (skipsFail ? skipped.length : 0);
  const rest = skipsFail || skipped.length === 0 ? "" : `, ${skipped.length} skipped`;
  process.stdout.write(`\n${sum("numPassedTests")} passed, ${failures} failed${rest}\n`);
  return failures;
}
