import { type DraftPolicy, type DraftProtects, type DraftRule, MESH_NAMESPACE } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { openByDefault } from "../draft/open-by-default.ts";
import { type KnownWorkload, nameOf, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer } from "../importer.ts";
import { reportOf, type SourcePlace } from "../report.ts";
import { type Compiled, compileClause } from "./compile-clause.ts";
import type { IstioPolicy, IstioRule } from "./policy.ts";
import { readIstioPolicies } from "./read-policies.ts";

/** What all policies are read in. */
interface Reading {
  readonly world: World;
  readonly rootNamespace: string;
  readonly notes: Notes;
  readonly names: Names;
  /** Policies that make their workloads deny by default. */
  readonly allows: readonly IstioPolicy[];
}

/** Istio AuthorizationPolicies. */
export const importIstio: Importer = (texts, options) => {
  const { policies, others } = readIstioPolicies(texts);
  const world = worldOf(options);
  const reading: Reading = {
    world,
    rootNamespace: options.rootNamespace ?? "istio-system",
    notes: new Notes(),
    names: new Names(),
    allows: policies.filter(({ action, dryRun }) => action === "ALLOW" && !dryRun),
  };
  for (const { kind, place } of others)
    reading.notes.add(place, kind, "unsupported", "only AuthorizationPolicy is read; the document is left out");
  const open = openByDefault(
    {
      construct: "no ALLOW policy selects the workload",
      place: policies[0]?.place ?? { file: texts[0]?.path ?? "", line: 1, column: 1 },
      prefix: "istio",
      isClosed: (workload) => reading.allows.some((policy) => selects(policy, workload, reading)),
    },
    world,
    reading.names,
    reading.notes,
  );
  const drafts = [...policies.flatMap((policy) => draftOf(policy, reading)), ...open];
  return { documents: writeDocuments(drafts, world), report: reportOf(reading.notes.entries) };
};

function draftOf(policy: IstioPolicy, reading: Reading): readonly DraftPolicy[] {
  const { notes } = reading;
  const construct = `AuthorizationPolicy ${policy.namespace}/${policy.name}`;
  if (policy.action === "AUDIT" || policy.dryRun) {
    const what = policy.dryRun ? "a dry run" : "AUDIT";
    notes.add(policy.place, construct, "exact", `${what} changes no verdict; nothing is written`);
    return [];
  }
  if (policy.targetRefs && policy.action === "ALLOW") {
    notes.add(policy.place, construct, "unsupported", "`targetRefs` name what a policy here cannot; it is left out");
    return [];
  }
  if (policy.targetRefs)
    notes.add(
      policy.place,
      construct,
      "narrower",
      "`targetRefs` name what a policy here cannot; it holds for its whole namespace",
    );
  if (policy.action === "CUSTOM")
    notes.add(
      policy.place,
      construct,
      "narrower",
      "no provider is asked; what it would have been asked about is denied",
    );
  if (policy.rules.length === 0) notes.add(policy.place, construct, "exact", "an ALLOW without rules allows nothing");
  const compiled = policy.rules.map((rule) => compileRule(rule, policy, construct, reading));
  return [rulesInto(policy, compiled, reading)];
}

function compileRule(rule: IstioRule, policy: IstioPolicy, construct: string, reading: Reading): Compiled {
  const { notes, world } = reading;
  const before = notes.entries.length;
  const selected = world.workloads.filter((workload) => selects(policy, workload, reading));
  const ports = selected.length > 0 && selected.every((one) => one.ports !== undefined);
  const say =
    (place: SourcePlace): ((...args: Parameters<Parameters<typeof compileClause>[1]["sayRule"]>) => void) =>
    (fidelity, reason, scope, counterExample, subject) =>
      notes.add(place, placed(construct, place), fidelity, reason, {
        ...(scope === undefined ? {} : { scope }),
        ...(subject === undefined ? {} : { subject }),
        ...(counterExample === undefined ? {} : { counterExample }),
      });
  const compiled = rule.clauses.map((clause) =>
    compileClause(clause, {
      world,
      effect: policy.action === "ALLOW" ? "allow" : "deny",
      ports: ports ? [...new Set(selected.flatMap((one) => one.ports ?? []))] : undefined,
      alone: isAlone(policy, reading),
      destination: selected[0] === undefined ? `spiffe://${world.trustDomain}/x` : nameOf(selected[0]),
      say: (field) => say(field.place),
      sayRule: say(rule.place),
    }),
  );
  if (!notes.entries.slice(before).some(({ scope }) => scope === undefined))
    say(rule.place)("exact", "every request but those of the scopes named gets the source's verdict");
  return { rules: compiled.flatMap((one) => one.rules), denies: compiled.flatMap((one) => one.denies) };
}

const placed = (construct: string, { path }: SourcePlace): string =>
  path === undefined || path === "" ? construct : `${construct}: ${path}`;

/** Whether no other allow rule can reach what this policy protects. */
function isAlone(policy: IstioPolicy, { allows }: Reading): boolean {
  const others = allows.filter((one) => one !== policy && one.rules.length > 0);
  return others.length === 0 && policy.rules.length === 1 && policy.rules[0]?.clauses.length === 1;
}

function rulesInto(policy: IstioPolicy, compiled: readonly Compiled[], reading: Reading): DraftPolicy {
  const rules = new Names();
  const named = (what: "rules" | "denies", prefix: string): readonly DraftRule[] =>
    compiled.flatMap((one, index) =>
      one[what].map((rule) => ({ name: rules.take(`${prefix}-${index + 1}`), ...rule })),
    );
  const [main, denies] = [named("rules", "rule"), named("denies", "not")];
  const { namespace, protects } = protectionOf(policy, reading);
  return {
    namespace,
    name: reading.names.take(namespace === MESH_NAMESPACE ? `${policy.namespace}-${policy.name}` : policy.name),
    protects,
    allow: policy.action === "ALLOW" ? main : [],
    deny: policy.action === "ALLOW" ? denies : main,
  };
}

function protectionOf(
  { namespace, labels }: IstioPolicy,
  { rootNamespace }: Reading,
): { readonly namespace: string; readonly protects: DraftProtects } {
  const root = namespace === rootNamespace;
  if (labels !== undefined && !root) return { namespace, protects: { labels } };
  const namespaces = root ? ("*" as const) : [namespace];
  return { namespace: MESH_NAMESPACE, protects: { namespaces, ...(labels === undefined ? {} : { labels }) } };
}

function selects(
  { namespace, labels, targetRefs }: IstioPolicy,
  workload: KnownWorkload,
  { rootNamespace }: Reading,
): boolean {
  if (namespace !== rootNamespace && namespace !== workload.namespace) return false;
  return targetRefs || Object.entries(labels ?? {}).every(([key, value]) => workload.labels[key] === value);
}
