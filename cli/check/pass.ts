import type { Document, Finding, JUnitSuite, PolicySet } from "../../policies/index.ts";

/** The passes of `cellwall check`, as `--only` names them. */
export const PASS_NAMES = ["lint", "test", "guardrails"] as const;
export type PassName = (typeof PASS_NAMES)[number];

/** What a pass looks at: a set without errors. */
export interface PassInput {
  readonly set: PolicySet;
  /** All documents of the set. */
  readonly documents: readonly Document[];
  /** Whether a document is the user's own, and not one of what `--against` names. */
  readonly isOwn: (document: Document) => boolean;
  /** The source that the own documents are published under, where the user named it. */
  readonly source?: string;
  readonly now: Date;
}

/** What a pass found. */
export interface PassResult {
  readonly findings: readonly Finding[];
  /** One line for people, after the findings: `12 tests passed`. */
  readonly summary?: string;
  /** What `--output json` says of the pass beside its findings. */
  readonly details?: unknown;
  /** What `--output junit` says of it; its findings as one suite where it is left out. */
  readonly suites?: readonly JUnitSuite[];
}

/** One thing that `cellwall check` does after the set is read. */
export interface Pass {
  readonly name: PassName;
  /** What is being done, for people who wait: `looking for unreachable rules`. */
  readonly doing: string;
  /** Whether findings of that id come from this pass, so that a suppression of one can be called unused. */
  finds(id: string): boolean;
  run(input: PassInput): PassResult;
}
