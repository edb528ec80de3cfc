import type { DraftCaller, DraftPolicy } from "../draft/draft.ts";
import { Names } from "../draft/names.ts";
import { Notes } from "../draft/notes.ts";
import { type KnownWorkload, nameOf, type World, worldOf } from "../draft/world.ts";
import { writeDocuments } from "../draft/write-documents.ts";
import type { Importer } from "../importer.ts";
import { reportOf } from "../report.ts";
import { applies, type Situation } from "./applies.ts";
import { mayLeave } from "./exits.ts";
import { EVERYTHING, type Grant, within, without } from "./grants.ts";
import { type CalicoDocuments, readCalico } from "./read-policies.ts";
import { rulesOf } from "./rules-of-grant.ts";
import { sayAll } from "./say-all.ts";
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
  const documents = readCalico(texts, notes);
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

interface Context {
  readonly world: World;
  readonly names: Names;
  readonly notes: Notes;
}

interface Group {
  readonly grants: readonly Grant[];
  readonly port: number | undefined;
  readonly callers: DraftCaller[];
}

function policyOf(
  callee: KnownWorkload,
  documents: CalicoDocuments,
  profile: "allow" | "deny",
  { world, names, notes }: Context,
): DraftPolicy {
  const into = tiersOf(callee, "ingress", documents, world);
  const callers = callersOf(world).map((caller) => ({
    ...caller,
    out: caller.workload === undefined ? [] : tiersOf(caller.workload, "egress", documents, world),
  }));
  const { ports, others } = portsAt(callee, [...into, ...callers.flatMap(({ out }) => out)]);
  const found = new Map<string, Group>();
  for (const { from, workload: caller, out } of callers) {
    const grantsAt = (port: number | undefined): readonly Grant[] => {
      const situation = { caller, callee, port, world };
      if (caller !== undefined && !mayLeave(out, { ...situation, caller })) return [];
      return grantsOf(into, EVERYTHING, situation, profile);
    };
    for (const port of ports) {
      const grants = grantsAt(port);
      const key = JSON.stringify([grants, port]);
      const group = found.get(key) ?? { grants, port, callers: [] };
      group.callers.push(from);
      found.set(key, group);
    }
    if (others && grantsAt(undefined).length > 0) noteOtherPorts(callee, documents, notes);
  }
  const rules = [...found.values()].flatMap(({ grants, port, callers: from }) =>
    grants.flatMap((grant) => rulesOf(grant, from, port, world)),
  );
  return {
    namespace: callee.namespace,
    name: names.take(`calico-${callee.name}`),
    protects: { workload: callee.name },
    allow: rules.map((rule, index) => ({ ...rule, name: `allow-${index + 1}` })),
    deny: [],
  };
}

/** Without a list of a callee's ports only those that rules name can be written. */
function noteOtherPorts(callee: KnownWorkload, { policies: [first] }: CalicoDocuments, notes: Notes): void {
  if (first === undefined) return;
  const reason =
    "the registry does not say where it listens; ports that no rule names are open in the source and closed here";
  notes.add(first.place, `ports of ${nameOf(callee)}`, "narrower", reason);
}

function callersOf({ workloads, foreign }: World): readonly CallerClass[] {
  return [
    ...workloads.map((workload) => ({ from: { workload: nameOf(workload) }, workload })),
    ...foreign.map((trustDomain) => ({ from: { trustDomain }, workload: undefined })),
    { from: { anyone: "anonymous" as const }, workload: undefined },
  ];
}

/**
 * What is allowed of the requests that reach a tier: the first terminal rule decides, `pass` goes on to the next tier. Of a rule
 * that may or may not be about the caller, an allow is taken not to be, and a deny or a pass to deny.
 */
function grantsOf(
  [tier, ...later]: readonly TierRules[],
  reaching: Grant,
  situation: Situation,
  profile: "allow" | "deny",
): readonly Grant[] {
  if (tier === undefined) return profile === "allow" ? [reaching] : [];
  const granted: Grant[] = [];
  let left: Grant | undefined = reaching;
  for (const rule of tier.rules) {
    if (left === undefined) return granted;
    const answer = rule.action === "log" ? "no" : applies(rule, situation);
    if (answer === "no" || (answer === "maybe" && rule.action === "allow")) continue;
    const part = answer === "maybe" ? undefined : within(left, rule);
    if (part !== undefined && rule.action === "allow") granted.push(part);
    if (part !== undefined && rule.action === "pass") granted.push(...grantsOf(later, part, situation, profile));
    // What is allowed already may be allowed again: there is no need to say it out of what is left.
    const isOfRequests = rule.methods !== undefined || rule.paths !== undefined;
    left = rule.action === "allow" && isOfRequests ? left : without(left, rule);
  }
  if (left !== undefined && tier.defaultAction === "pass") granted.push(...grantsOf(later, left, situation, profile));
  return granted;
}
