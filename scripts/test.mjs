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

const folder = mkdtempSync(join(tmpdir(), "cellwall-test-"));
const report = join(folder, "report.json");
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const code = await run(process.execPath, [
  vitest,
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);

const failed = summarize();
rmSync(folder, { recursive: true, force: true });
process.exit(code === 0 && failed === 0 ? 0 : 1);

function summarize() {
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    process.stdout.write("\nno test report was written: the run ended before its tests did\n0 passed, 1 failed\n");
    return 1;
  }
  const tests = result.testResults.flatMap((file) => file.assertionResults);
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  for (const test of skipped) process.stdout.write(`skipped: ${test.fullName}\n`);
  const skipsFail = process.env.CELLWALL_SKIPS === "fail";
  const brokenFiles = result.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  const failures = result.numFailedTests + brokenFiles + (skipsFail ? skipped.length : 0);
  const rest = skipsFail || skipped.length === 0 ? "" : `, ${skipped.length} skipped`;
  process.stdout.write(`\n${result.numPassedTests} passed, ${failures} failed${rest}\n`);
  return failures;
}
