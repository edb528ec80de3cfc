import type { Rule, Workload } from "../model/index.ts";
import type { AllowSyntax, DenySyntax } from "../syntax/kinds/access-policy.ts";
import type { Findings } from "./findings.ts";

/** One rule, its text, and the workloads that its policy protects. */
export interface RuleCheck {
  readonly rule: Rule;
  readonly syntax: AllowSyntax | DenySyntax;
  readonly workloads: readonly Workload[];
  readonly trustDomain: string;
  readonly findings: Findings;
}
