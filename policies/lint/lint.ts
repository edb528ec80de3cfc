import type { Finding } from "../findings/index.ts";
import type { PolicySet } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import { LIFTED_IDS, liftWarnings } from "./lift-warnings.ts";
import { LINTS } from "./lints/index.ts";
import { type Subject, subjectOf } from "./subject.ts";

/** The ids of everything that `lint` can find, each with a paragraph in docs/lint.md. Sorted. */
export const LINT_IDS: readonly string[] = [...new Set([...LINTS.keys(), ...LIFTED_IDS])].sort();

/** Options of `lint`. */
export interface LintOptions {
  /** The instant that expiry and review dates are judged at. */
  readonly now: Date;
  /** The documents that the set was resolved from: with their tests, grants that no test covers are found. */
  readonly documents?: readonly Document[];
}

/**
 * Everything that is suspicious in a resolved set (docs/lint.md), in order of places. The set's own warnings come as
 * findings too. Of a set with errors only these: what half a set seems to say would blame the wrong text.
 */
export function lint(set: PolicySet, { now, documents = [] }: LintOptions): readonly Finding[] {
  const subject = subjectOf(set, now, documents);
  const broken = set.diagnostics.some(({ severity }) => severity === "error");
  const found = broken ? [] : [...LINTS.values()].flatMap((each) => each(subject));
  return inOrder([...liftWarnings(subject), ...found], subject);
}

/** By file as the set's texts came, then by place, then by id. */
function inOrder(findings: readonly Finding[], { set, rules }: Subject): readonly Finding[] {
  const spans = [...set.workloads, ...set.policies, ...rules.map(({ rule }) => rule)].map(({ span }) => span);
  const files = new Map<string, number>();
  for (const { file } of spans) if (!files.has(file)) files.set(file, files.size);
  const rank = ({ span }: Finding): number => (span === undefined ? -1 : (files.get(span.file) ?? files.size));
  return findings.toSorted(
    (left, right) =>
      rank(left) - rank(right) ||
      (left.span?.line ?? 0) - (right.span?.line ?? 0) ||
      (left.span?.column ?? 0) - (right.span?.column ?? 0) ||
      (left.id < right.id ? -1 : left.id > right.id ? 1 : 0),
  );
}
