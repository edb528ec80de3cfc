import { compile } from "../compile/compile.ts";
import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import { explain } from "../explain/explain.ts";
import type { LineReport } from "../explain/explanation.ts";
import { lackText } from "../explain/format-explanation.ts";
import type { Finding } from "../findings/finding.ts";
import type { PolicySet } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Document } from "../syntax/document.ts";
import { attributesOfCase } from "./case-attributes.ts";
import { coverageOf } from "./coverage.ts";
import type { Coverage, CoverageItem } from "./coverage-item.ts";
import { finding } from "./finding.ts";
import { type CaseResult, gotOf, isRelaxed, wrongOf } from "./judge-case.ts";
import { type TestCase, testCasesOf } from "./test-case.ts";

/** How tests are run. */
export interface TestOptions {
  /** The present, for cases without `at`. */
  readonly now: Date;
  /** Percent of coverage that is asked for; a lower one is a finding, and each thing not seen a note. */
  readonly minCoverage?: number;
  /** Judges workloads in monitor mode as if they enforced, for tests that are written before. */
  readonly asEnforced?: boolean;
}

/** What the tests of a set say. */
export interface TestReport {
  /** Nothing failed, and the coverage is as high as asked for. */
  readonly ok: boolean;
  readonly results: readonly CaseResult[];
  readonly passed: number;
  readonly failed: number;
  /** Cases that pass but for the monitor mode of their workload; neither passed nor failed. */
  readonly relaxed: number;
  readonly coverage: Coverage;
  /** `test-failed`, `test-relaxed`, `test-coverage` and `test-uncovered`. */
  readonly findings: readonly Finding[];
}

/**
 * Runs the PolicyTests among documents against their set, by the decisions of the live path. Throws `PolicyError`
 * `ERR_POLICY_SET_HAS_ERRORS` where the set has errors.
 */
export function runTests(given: PolicySet, documents: readonly Document[], options: TestOptions): TestReport {
  const set = options.asEnforced === true ? enforced(given) : given;
  const results = runCases(compile(set), testCasesOf(documents, set), set, options.now);
  const coverage = coverageOf(set, documents, results);
  const wrong = results.filter((result) => result.wrong.length > 0);
  const failed = wrong.filter(({ relaxed }) => !relaxed);
  const low = lowCoverage(coverage, options.minCoverage);
  return {
    ok: failed.length === 0 && low.length === 0,
    results,
    passed: results.length - wrong.length,
    failed: failed.length,
    relaxed: wrong.length - failed.length,
    coverage,
    findings: [...wrong.map((result) => wrongFinding(result, set)), ...low],
  };
}

/** The set with every workload in `enforce`. */
export function enforced(set: PolicySet): PolicySet {
  return { ...set, workloads: set.workloads.map((workload) => ({ ...workload, mode: "enforce" as const })) };
}

/** Decides every case by one index. */
export function runCases(index: Index, cases: readonly TestCase[], set: PolicySet, now: Date): readonly CaseResult[] {
  return cases.map((each) => {
    const attributes = attributesOfCase(each, set, now);
    const decision = decide(index, attributes);
    const got = gotOf(decision, each.stage);
    return { case: each, attributes, decision, got, wrong: wrongOf(each, got), relaxed: isRelaxed(each, got) };
  });
}

function wrongFinding(result: CaseResult, set: PolicySet): Finding {
  const { case: each, wrong, relaxed } = result;
  const { deciding, nearest } = explain(set, result.attributes, { nearest: 1 });
  const near = deciding ?? nearest[0];
  return finding(relaxed ? "test-relaxed" : "test-failed", [each.test, each.title, each.written.expect.value], {
    severity: relaxed ? "note" : "error",
    span: each.span,
    message: `\`${printable(each.title)}\` at \`${each.destination.namespace}/${each.destination.name}\`: ${wrong.join("; ")}`,
    reason: relaxed
      ? "the denial is written down and not made until the workload enforces"
      : "the policies do not do what their test says",
    ...(near === undefined ? {} : { remedy: remedyOf(near, deciding !== undefined) }),
    ...(near === undefined
      ? {}
      : {
          related: [
            { span: near.span, message: `${deciding === undefined ? "nearest line" : "decided by"} \`${near.id}\`` },
          ],
        }),
  });
}

function remedyOf(near: LineReport, decides: boolean): string {
  if (decides) return `change the case, or the line that decides: \`${near.id}\``;
  const lacks = near.lacks.map(lackText).join("; ");
  return `correct the case, or the nearest line \`${near.id}\`${lacks === "" ? "" : `, which lacks: ${lacks}`}`;
}

function lowCoverage(coverage: Coverage, least: number | undefined): readonly Finding[] {
  if (least === undefined || coverage.percent >= least) return [];
  const unseen = coverage.items.filter(({ needs, seen }) => seen.length < needs.length);
  const below = finding("test-coverage", [], {
    severity: "error",
    message: `the tests cover ${coverage.percent} % of lines and conditions, and ${least} % are asked for`,
    reason: "what no test shows can change without anybody noticing",
    remedy: "add a case for each thing that is listed as not covered",
  });
  return [below, ...unseen.map(uncovered)];
}

function uncovered(item: CoverageItem): Finding {
  return finding("test-uncovered", [item.id], {
    severity: "note",
    span: item.span,
    message: `\`${printable(item.policy)}/${printable(item.rule)}\`: ${missingText(item)}`,
    reason: "what no test shows can change without anybody noticing",
    remedy: item.kind === "line" ? "add a case that this line decides" : "add a case that only this condition decides",
  });
}

/** What of a line or condition no case shows, in words. */
export function missingText({ kind, text, needs, seen }: CoverageItem): string {
  if (kind === "line") return `no case matches \`${printable(text)}\``;
  const missing = needs.filter((need) => !seen.includes(need)).map((need) => (need ? "holds" : "fails"));
  return `no case in which this ${missing.join(", and none in which it ")}: ${printable(text)}`;
}
