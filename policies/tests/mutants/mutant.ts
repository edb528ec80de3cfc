import type { AccessPolicy, Mesh, PolicySet, Rule, Span, Workload } from "../../model/index.ts";

/** What was done to the set, stable: part of a finding's fingerprint. */
export type MutantOperator =
  | "drop-line"
  | "drop-rule"
  | "drop-policy"
  | "widen-path"
  | "widen-methods"
  | "drop-method"
  | "widen-caller"
  | "drop-caller"
  | "drop-label"
  | "drop-condition"
  | "negate-matcher"
  | "weaken-matcher"
  | "drop-value"
  | "drop-except"
  | "drop-across"
  | "drop-always"
  | "drop-isolation"
  | "monitor-mode";

/** One change of a rule; without `edited` the rule goes. */
export interface RuleChange {
  readonly operator: MutantOperator;
  /** What was changed, as people read it: ``drop the line `GET /a` ``. */
  readonly text: string;
  readonly span: Span;
  readonly edited: Rule | undefined;
}

/** One small change of a set that its tests are expected to notice. */
export interface Mutant {
  readonly operator: MutantOperator;
  /** `<namespace>/<policy>/<rule>`, `<namespace>/<workload>`, or the mesh's label. */
  readonly of: string;
  readonly text: string;
  readonly span: Span;
  readonly change: Change;
}

/** Where a mutant differs from its set. */
export type Change =
  | {
      readonly kind: "policy";
      readonly policy: AccessPolicy;
      readonly edited: AccessPolicy | undefined;
      /** The rule that was changed, before and after. */
      readonly rule?: Rule;
      readonly editedRule?: Rule | undefined;
    }
  | { readonly kind: "workload"; readonly workload: Workload; readonly edited: Workload }
  | { readonly kind: "mesh"; readonly edited: Mesh };

/** Identities of the destinations whose decisions a change can alter. */
export function affectedBy(change: Change, set: PolicySet): readonly string[] {
  switch (change.kind) {
    case "policy":
      return change.policy.destinations;
    case "workload":
      return [change.workload.identity.toString()];
    case "mesh":
      return set.destinations;
  }
}

/** The changed set. */
export function applied(change: Change, set: PolicySet): PolicySet {
  switch (change.kind) {
    case "policy":
      return {
        ...set,
        policies: set.policies.flatMap((policy) =>
          policy === change.policy ? (change.edited === undefined ? [] : [change.edited]) : [policy],
        ),
      };
    case "workload":
      return {
        ...set,
        workloads: set.workloads.map((workload) => (workload === change.workload ? change.edited : workload)),
      };
    case "mesh":
      return { ...set, mesh: change.edited };
  }
}
