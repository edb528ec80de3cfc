import { suiteOf } from "../../policies/findings/index.ts";
import type { CaseResult, Finding, JUnitCase, JUnitSuite, MutationReport, TestReport } from "../../policies/index.ts";

/** Tests as JUnit suites: one a PolicyTest, one of coverage, one of mutants where they were run. */
export function testSuites(tests: TestReport, mutation?: MutationReport): readonly JUnitSuite[] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of tests.results) groups.set(result.case.test, [...(groups.get(result.case.test) ?? []), result]);
  const findings = new Map(tests.findings.map((finding) => [finding.span, finding]));
  const others = tests.findings.filter(({ id }) => id !== "test-failed" && id !== "test-relaxed");
  return [
    ...[...groups].map(([name, results]) => ({ name, cases: results.map((each) => junitCase(each, findings)) })),
    suiteOf("coverage", others),
    ...(mutation === undefined ? [] : [suiteOf("mutants", mutation.findings)]),
  ];
}

function junitCase({ case: each, wrong, relaxed }: CaseResult, findings: ReadonlyMap<unknown, Finding>): JUnitCase {
  return {
    name: each.title,
    file: each.span.file,
    line: each.span.line,
    failures: (relaxed ? [] : wrong).map((message) => ({
      type: "test-failed",
      message,
      text: findings.get(each.span)?.remedy ?? "",
    })),
  };
}
