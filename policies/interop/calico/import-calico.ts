import type { DraftCaller, DraftPolicy } from "../draft/draft.ts";
import { GRPC_BY_SERVICE } from "../draft/everything.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { type KnownWorkload, nameOf, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer } from "../importer.ts";
import { isMethod } from "../paths/known-methods.ts";
import { reportOf } from "../report.ts";
import { EVERYTHING, type Grant, within, without } from "./grants.ts";
import type { CalicoRule, PortSpan } from "./policy.ts";
import { type CalicoDocuments, readCalico } from "./read-policies.ts";
import { rulesOf } from "./rules-of-grant.ts";
import { portsAt, type TierRules, tiersOf } from "./tiers.ts";

/** Somebody who calls: a registered workload, or one of whom nothing but that is known. */
interface CallerClass {
  readonly from: DraftCaller;
  readonly workload: KnownWorkload | undefined;
}

/**
 * Calico's ordered, tiered policies, worked out for each registered callee, caller and port into what is allowed. Without
 * a registry there is nothing to work out, and nothing is allowed.
 */
export const importCalico: Importer = (texts, options) => {
  const notes = new Notes();
  const world = worldOf(options);
  const documents = readCalico(texts, world.namespaces, notes);
  sayAll(documents, world, notes);
  const names = new Names();
  const profile = options.defaultAction ?? "allow";
  if (world.workloads.length > 0)
    notes.add(
      { file: texts[0]?.path ?? "", line: 1, column: 1 },
      "profiles",
      "exact",
      `what no policy selects is ${profile === "allow" ? "allowed" : "denied"}, and written so`,
    );
  const policies = world.workloads.map((callee) => policyOf(callee, documents, profile, { world, names, notes }));
  return { documents: writeDocuments(policies, world), report: reportOf(notes.entries) };
};

const HTTP_EXCEPT = "an exception reaches HEAD with GET, and the other spelling of a trailing slash";

function sayAll({ policies }: CalicoDocuments, world: World, notes: Notes): void {
  for (const { place, construct, serviceAccountSelector, ingress } of policies) {
    if (world.workloads.length === 0)
      notes.add(
        place,
        construct,
        "unsupported",
        "ordered policies are worked out for registered workloads, and the import was given none: no registry",
      );
    if (serviceAccountSelector)
      notes.add(
        place,
        construct,
        "narrower",
        "labels of service accounts are not known; the policy is taken to select every workload that it may",
      );
    notes.add(place, construct, "narrower", GRPC_BY_SERVICE, { scope: "grpc" });
    notes.add(
      place,
      construct,
      "narrower",
      "a caller without identity satisfies no selector here, and every one in the source",
      { scope: "anonymous" },
    );
    for (const rule of ingress ?? []) sayRule(rule, construct, notes);
  }
}

function sayRule(rule: CalicoRule, construct: string, notes: Notes): void {
  const { place, action, methods, paths, destination } = rule;
  const destinationNets = destination.nets !== undefined || destination.notNets.length > 0;
  if (destinationNets)
    notes.add(
      place,
      construct,
      action === "allow" ? "unsupported" : "narrower",
      "the destination's address is not looked at; an allow on it is left out, a deny holds whatever it is",
    );
  for (const method of methods?.filter((one) => !isMethod(one)) ?? [])
    notes.add(place, construct, "narrower", "no request has such a method", { scope: "method", subject: method });
  if (action === "allow" && (methods !== undefined || paths !== undefined))
    notes.add(
      place,
      construct,
      "narrower",
      "a connection has no method and no path, which the source takes for a match",
      {
        scope: "connection",
      },
    );
  if (action !== "allow" && (methods !== undefined || paths !== undefined)) {
    if (methods?.includes("GET") === true && !methods.includes("HEAD"))
      notes.add(place, construct, "narrower", HTTP_EXCEPT, { scope: "head" });
    if (paths !== undefined) notes.add(place, construct, "narrower", HTTP_EXCEPT, { scope: "trailing-slash" });
  }
  if (!destinationNets && rule.source.ports === undefined)
    notes.add(
      place,
      construct,
      "exact",
      "in its place in the order, every request but those of the scopes named gets its verdict",
    );
}

interface Context {
  readonly world: World;
  readonly names: Names;
  readonly notes: Notes;
}

function policyOf(
  callee: KnownWorkload,
  documents: CalicoDocuments,
  profile: "allow" | "deny",
  { world, names }: Context,
): DraftPolicy {
  const tiers = tiersOf(callee, documents, world);
  const ports = portsAt(callee, tiers);
  const found = new Map<
    string,
    { readonly grants: readonly Grant[]; readonly port: number | undefined; readonly callers: DraftCaller[] }
  >();
  for (const caller of callersOf(world))
    for (const port of ports) {
      const grants = grantsOf(tiers, EVERYTHING, { caller, callee, port, profile });
      const key = JSON.stringify([grants, port]);
      const group = found.get(key) ?? { grants, port, callers: [] };
      group.callers.push(caller.from);
      found.set(key, group);
    }
  const rules = [...found.values()].flatMap(({ grants, port, callers }) =>
    grants.flatMap((grant) => rulesOf(grant, callers, port, world)),
  );
  return {
    namespace: callee.namespace,
    name: names.take(`calico-${callee.name}`),
    protects: { workload: callee.name },
    allow: rules.map((rule, index) => ({ ...rule, name: `allow-${index + 1}` })),
    deny: [],
  };
}

function callersOf({ workloads, foreign }: World): readonly CallerClass[] {
  return [
    ...workloads.map((workload) => ({ from: { workload: nameOf(workload) }, workload })),
    ...foreign.map((trustDomain) => ({ from: { trustDomain }, workload: undefined })),
    { from: { anyone: "anonymous" as const }, workload: undefined },
  ];
}

interface Situation {
  readonly caller: CallerClass;
  readonly callee: KnownWorkload;
  readonly port: number | undefined;
  readonly profile: "allow" | "deny";
}

/** What is allowed of the requests that reach a tier: the first terminal rule decides, `pass` goes on to the next tier. */
function grantsOf([tier, ...later]: readonly TierRules[], reaching: Grant, situation: Situation): readonly Grant[] {
  if (tier === undefined) return situation.profile === "allow" ? [reaching] : [];
  const granted: Grant[] = [];
  let left: Grant | undefined = reaching;
  for (const rule of tier.rules) {
    if (left === undefined) return granted;
    if (rule.action === "log" || !mayApply(rule, situation)) continue;
    const part = within(left, rule);
    if (part !== undefined && rule.action === "allow") granted.push(part);
    if (part !== undefined && rule.action === "pass") granted.push(...grantsOf(later, part, situation));
    left = without(left, rule);
  }
  if (left !== undefined && tier.defaultAction === "pass") granted.push(...grantsOf(later, left, situation));
  return granted;
}

/** Whether a rule is about this caller at this port, its addresses and requests aside. */
function mayApply({ tcp, action, source, destination }: CalicoRule, { caller, callee, port }: Situation): boolean {
  const withAccount = (one: KnownWorkload) => ({ ...one, serviceAccount: one.serviceAccount ?? one.name });
  if (!tcp) return false;
  // What cannot be looked at is taken to hold in a deny, and not to hold in an allow or a pass.
  const unseen =
    source.ports !== undefined ||
    source.notPorts.length > 0 ||
    destination.nets !== undefined ||
    destination.notNets.length > 0;
  if (unseen && action !== "deny") return false;
  if (
    source.matches !== undefined &&
    (caller.workload === undefined ? action !== "deny" : !source.matches(withAccount(caller.workload)))
  )
    return false;
  if (destination.matches !== undefined && !destination.matches(withAccount(callee))) return false;
  const inside = (spans: readonly PortSpan[]): boolean =>
    port !== undefined && spans.some(([from, to]) => port >= from && port <= to);
  return (destination.ports === undefined || inside(destination.ports)) && !inside(destination.notPorts);
}
