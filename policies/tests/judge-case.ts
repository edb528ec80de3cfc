import type { Attributes, Decision, ReasonCode, Verdict } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { TestCase } from "./test-case.ts";

/** What a case got, in the terms that it asks in. */
export interface Got {
  readonly verdict: Verdict;
  readonly reason: ReasonCode;
  /** `<namespace>/<policy>/<rule>` of the line that decided. */
  readonly rule?: string;
  /** The rules deny, and the workload's monitor mode lets it through. */
  readonly relaxed: boolean;
}

/** One case, run. */
export interface CaseResult {
  readonly case: TestCase;
  readonly attributes: Attributes;
  readonly decision: Decision;
  readonly got: Got;
  /** What is not as expected, each as a sentence; empty where the case passes. */
  readonly wrong: readonly string[];
  /** Nothing is wrong but that the workload's monitor mode lets through what the rules deny as they should. */
  readonly relaxed: boolean;
}

/** Reads a decision as a case of its stage does. Where no candidate changes anything for the destination, the candidate says what live says. */
export function gotOf(decision: Decision, stage: TestCase["stage"]): Got {
  const { candidate } = decision;
  if (stage === "live" || candidate === undefined) {
    const rule = ruleOf(decision.line);
    const { verdict, evaluated, reason } = decision;
    return { verdict, reason, relaxed: verdict !== evaluated, ...(rule === undefined ? {} : { rule }) };
  }
  const rule = ruleOf(candidate.line);
  return {
    verdict: candidate.verdict,
    reason: candidate.reason,
    relaxed: false,
    ...(rule === undefined ? {} : { rule }),
  };
}

function ruleOf(line: string | undefined): string | undefined {
  return line?.slice(0, line.indexOf("#"));
}

/** Whether a case is as it asks to be; the cheap form of `wrongOf`. */
export function passes({ expected }: TestCase, got: Got): boolean {
  return (
    expected.verdict === got.verdict &&
    (expected.rule === undefined || expected.rule === got.rule) &&
    (expected.reason === undefined || expected.reason === got.reason)
  );
}

/** Whether a case would pass if its workload enforced. */
export function isRelaxed(of: TestCase, got: Got): boolean {
  return got.relaxed && of.expected.verdict === "deny" && passes(of, { ...got, verdict: "deny" });
}

/** What is not as a case asks for. */
export function wrongOf({ expected }: TestCase, got: Got): readonly string[] {
  const wrong: string[] = [];
  const relaxed = got.relaxed ? ": the rules deny it, and the workload is in monitor mode" : "";
  const by = got.rule === undefined ? got.reason : `${got.reason} \`${printable(got.rule)}\``;
  if (expected.verdict !== got.verdict)
    wrong.push(`expected ${expected.verdict}, got ${got.verdict} (${by})${relaxed}`);
  if (expected.rule !== undefined && expected.rule !== got.rule)
    wrong.push(
      `expected the rule \`${expected.rule}\`, got ${got.rule === undefined ? `none (${got.reason})` : `\`${got.rule}\``}`,
    );
  if (expected.reason !== undefined && expected.reason !== got.reason)
    wrong.push(`expected \`${expected.reason}\`, got \`${got.reason}\``);
  return wrong;
}
