import type { Diagnostic, PolicySet, Span } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import { checkTests } from "./check-tests.ts";
import { checkWorkloads } from "./check-workloads.ts";
import { Findings } from "./findings.ts";
import { deepFreeze } from "./freeze.ts";
import { gather } from "./gather.ts";
import { resolvePolicies } from "./policy.ts";
import { buildRegistry } from "./registry.ts";

/** Options of `resolve`. */
export interface ResolveOptions {
  /** Findings of parsing, carried over into the set. */
  readonly diagnostics?: readonly Diagnostic[];
}

/**
 * Puts documents together into a set: merges, looks every reference up and checks what texts say of one another.
 * Never throws; a set with an error among its diagnostics is complete enough to look at and cannot be compiled.
 */
export function resolve(documents: readonly Document[], { diagnostics = [] }: ResolveOptions = {}): PolicySet {
  const findings = new Findings(diagnostics);
  const anywhere: Span = documents[0]?.span ??
    diagnostics[0]?.span ?? { file: "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };
  const gathered = gather(documents, findings);
  const registry = buildRegistry(gathered, anywhere, findings);
  checkWorkloads(registry, findings);
  const policies = resolvePolicies(gathered, registry, findings);
  checkTests(gathered, registry, policies, findings);
  const workloads = [...registry.workloads.values()];
  return deepFreeze({
    mesh: registry.mesh,
    nodes: registry.nodes,
    workloads,
    unnamedCallers: [],
    destinations: workloads.map(({ identity }) => identity.toString()).sort(),
    policies,
    diagnostics: findings.all(documents.map(({ span }) => span.file)),
  });
}
