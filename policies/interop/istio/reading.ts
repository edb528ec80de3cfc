import type { Names } from "../draft/names.ts";
import type { Notes } from "../draft/notes.ts";
import type { Say } from "../draft/say.ts";
import type { Suspected } from "../draft/suspects.ts";
import type { World } from "../draft/world.ts";
import type { SourcePlace } from "../report.ts";
import type { Compiled } from "./clause-context.ts";
import { compileClause, isHttp } from "./compile-clause.ts";
import type { Issuers } from "./issuers.ts";
import { rulesMeet } from "./overlap.ts";
import type { IstioRule } from "./policy.ts";
import { type PlacedPolicy, selects } from "./selection.ts";

/** What all policies are read in. */
export interface Reading {
  readonly world: World;
  readonly rootNamespace: string;
  readonly notes: Notes;
  readonly names: Names;
  readonly issuers: Issuers;
  readonly policies: readonly PlacedPolicy[];
  /** Policies that make their workloads deny by default. */
  readonly allows: readonly PlacedPolicy[];
  readonly suspects: Suspected[];
}

/** A rule, compiled, and whether something was said of every request. */
export interface CompiledRule {
  readonly rule: IstioRule;
  readonly clauses: readonly Compiled[];
  readonly exact: boolean;
}

/** A policy, compiled. Without rules nothing is written for it. */
export interface CompiledPolicy {
  readonly policy: PlacedPolicy;
  readonly rules: readonly CompiledRule[];
}

const constructOf = ({ namespace, name, via }: PlacedPolicy): string =>
  `AuthorizationPolicy ${namespace}/${name}${via === undefined ? "" : ` at ${via.kind} ${via.name}`}`;

/** Compiles a policy's rules, and says what becomes of it as a whole. */
export function compilePolicy(policy: PlacedPolicy, reading: Reading): CompiledPolicy {
  const { notes } = reading;
  const construct = constructOf(policy);
  const { action, dryRun, place, untold, via } = policy;
  if (action === "AUDIT") notes.add(place, construct, "exact", "AUDIT changes no verdict; nothing is written");
  else if (untold !== undefined && (action === "ALLOW" || dryRun))
    notes.add(place, construct, dryRun ? "exact" : "unsupported", `${untold}; it is left out`);
  else {
    if (untold !== undefined) notes.add(place, construct, "narrower", `${untold}; it holds for its whole namespace`);
    if (via !== undefined && untold === undefined)
      notes.add(place, construct, "narrower", "it holds however a request arrives", { scope: "around-waypoint" });
    if (dryRun)
      notes.add(
        place,
        construct,
        "exact",
        "a dry run changes no verdict; it is a candidate, whose verdicts are recorded",
      );
    if (action === "CUSTOM")
      notes.add(place, construct, "narrower", "no provider is asked; what it would have been asked about is denied");
    if (policy.rules.length === 0) notes.add(place, construct, "exact", "an ALLOW without rules allows nothing");
    return { policy, rules: policy.rules.map((rule) => compileRule(rule, policy, reading)) };
  }
  return { policy, rules: [] };
}

/** Says something of a place in a policy; what a dry run is about bears on what would be decided only. */
function sayAt(place: SourcePlace, policy: PlacedPolicy, { notes }: Reading): Say {
  const construct = placedAt(constructOf(policy), place);
  return (fidelity, reason, scope, counterExample, subject) => {
    const about = policy.dryRun && fidelity !== "exact" ? "candidate" : scope;
    const shown = policy.dryRun ? undefined : counterExample;
    if (policy.dryRun && fidelity === "wider" && shown === undefined) return;
    notes.add(place, construct, fidelity, reason, {
      ...(about === undefined ? {} : { scope: about }),
      ...(subject === undefined ? {} : { subject }),
      ...(shown === undefined ? {} : { counterExample: shown }),
    });
  };
}

const placedAt = (construct: string, { path }: SourcePlace): string =>
  path === undefined || path === "" ? construct : `${construct}: ${path}`;

function compileRule(rule: IstioRule, policy: PlacedPolicy, reading: Reading): CompiledRule {
  const { notes, world, rootNamespace, issuers, suspects } = reading;
  const before = notes.entries.length;
  const selected = world.workloads.filter((workload) => selects(policy, workload, rootNamespace));
  const ports = selected.length > 0 && selected.every((one) => one.ports !== undefined);
  const compiled = rule.clauses.map((clause) =>
    compileClause(clause, {
      world,
      effect: policy.action === "ALLOW" ? "allow" : "deny",
      http: rule.clauses.some(isHttp),
      ports: ports ? [...new Set(selected.flatMap((one) => one.ports ?? []))] : undefined,
      issuers: issuers.of(policy, selected),
      suspect: ({ field, ...suspect }) => {
        if (!policy.dryRun) suspects.push({ say: sayAt(field.place, policy, reading), ...suspect });
      },
      say: (field) => sayAt(field.place, policy, reading),
      sayRule: sayAt(rule.place, policy, reading),
    }),
  );
  return {
    rule,
    clauses: compiled,
    exact: !notes.entries.slice(before).some(({ scope }) => scope === undefined),
  };
}

/**
 * Denies that stand for an exception of one allow hold for others too: says so where another may allow the same requests,
 * and calls every other rule exact of which nothing else was said.
 */
export function sayCarved(own: CompiledPolicy, all: readonly CompiledPolicy[], reading: Reading): void {
  for (const { rule, clauses, exact } of own.rules) {
    const others = all
      .filter(({ policy }) => policy.action === "ALLOW" && (!policy.dryRun || own.policy.dryRun))
      .flatMap(({ rules }) => rules.filter((one) => one.rule !== rule).flatMap((one) => one.clauses));
    const reaching = clauses.filter((clause) =>
      reaches(clause, [...others, ...clauses.filter((one) => one !== clause)]),
    );
    for (const field of reaching.flatMap(({ carved }) => carved))
      sayAt(field.place, own.policy, reading)("narrower", CARVED);
    if (exact && reaching.length === 0) sayAt(rule.place, own.policy, reading)("exact", EXACT);
  }
}

const CARVED = "what is excluded here is denied, also where another policy allows it";
const EXACT = "every request but those of the scopes named gets the source's verdict";

function reaches({ denies }: Compiled, others: readonly Compiled[]): boolean {
  return denies.some((deny) => others.some(({ rules }) => rules.some((rule) => rulesMeet(deny, rule))));
}
