import { runTests } from "../../policies/tests/index.ts";
import type { Pass } from "../check/pass.ts";
import { count } from "../screen.ts";
import { testSuites } from "./test-suites.ts";

/** The part of `cellwall check` that runs the own PolicyTests; `cellwall test` has the thresholds, mutants and watch mode. */
export const testsPass: Pass = {
  name: "test",
  doing: "running the tests",
  finds: (id) => id === "test-failed" || id === "test-relaxed",
  run({ set, documents, isOwn, now }) {
    const report = runTests(set, documents.filter(isOwn), { now });
    const { results, passed, failed, relaxed, coverage, findings } = report;
    const summary = `${count(passed, "test")} passed${failed === 0 ? "" : `, ${failed} failed`}${relaxed === 0 ? "" : `, ${relaxed} let through by monitor mode`}`;
    return {
      findings,
      summary: results.length === 0 ? "no tests" : `${summary}, coverage ${coverage.percent} %`,
      details: {
        passed,
        failed,
        relaxed,
        coverage: { percent: coverage.percent, seen: coverage.seen, total: coverage.total },
      },
      suites: testSuites(report),
    };
  },
};
