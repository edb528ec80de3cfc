import type { Caller } from "../match/caller.ts";
import { identityMatches } from "../match/caller.ts";
import type { AccessPolicy, CallerSelector, PolicySet, Workload, WorkloadName } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import { askerOf } from "./asker.ts";
import type { RuleOf } from "./line-at.ts";
import { type LineOf, placesOf, type View, viewsOf } from "./line-at.ts";
import type { Ask } from "./question.ts";
import { type LineStanding, standingsOf } from "./standing.ts";

/** What the lints look at: the set, the day, and what is worked out of both. */
export interface Subject {
  readonly set: PolicySet;
  readonly now: Date;
  readonly documents: readonly Document[];
  /** Rules of live and candidate policies, in order of the texts. */
  readonly rules: readonly RuleOf[];
  /** By identity. */
  readonly workloads: ReadonlyMap<string, Workload>;
  /** By `<namespace>/<name>`. */
  readonly byName: ReadonlyMap<string, Workload>;
  /** Every destination's policies, live and as candidates would have them. */
  readonly views: readonly View[];
  readonly ask: Ask;
  /** What each line adds; worked out once, when it is asked for. */
  readonly standings: () => readonly LineStanding[];
  /** Where a line stands: the views of its policy's stage that hold it. */
  readonly viewsOf: (line: LineOf) => readonly View[];
  /** The lines of all denies that protect something. */
  readonly denyLines: () => readonly LineOf[];
}

/** Builds it. */
export function subjectOf(set: PolicySet, now: Date, documents: readonly Document[]): Subject {
  const rules = set.policies.flatMap(rulesOf);
  const views = viewsOf(set, rules);
  const ask = askerOf(set, now);
  const places = placesOf(views);
  let standings: readonly LineStanding[] | undefined;
  return {
    set,
    now,
    documents,
    rules,
    workloads: new Map(set.workloads.map((workload) => [workload.identity.toString(), workload])),
    byName: new Map(set.workloads.map((workload) => [nameOf(workload), workload])),
    views,
    ask,
    standings: () => {
      standings ??= (["live", "candidate"] as const).flatMap((stage) =>
        standingsOf(
          views.filter((view) => view.stage === stage),
          ask,
        ),
      );
      return standings;
    },
    viewsOf: ({ lineId }) => places.get(lineId)?.views ?? [],
    denyLines: () => [...places.values()].map(({ line }) => line).filter(({ rule }) => rule.effect === "deny"),
  };
}

function rulesOf(policy: AccessPolicy): readonly RuleOf[] {
  const suffix = policy.stage === "candidate" ? " (candidate)" : "";
  return [...policy.allow, ...policy.deny].map((rule) => ({
    policy,
    rule,
    id: `${nameOf(policy)}/${rule.name}${suffix}`,
  }));
}

/** `<namespace>/<name>` */
export function nameOf({ namespace, name }: WorkloadName): string {
  return `${namespace}/${name}`;
}

/** The registered workloads that an entry of `from` matches, whatever their address. */
export function callersOf(selector: CallerSelector, { byName, set }: Subject): readonly Workload[] {
  const named = selector.workload && byName.get(nameOf(selector.workload));
  const candidates = selector.workload === undefined ? set.workloads : named === undefined ? [] : [named];
  return candidates.filter((workload) =>
    identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true),
  );
}

/** Whether an entry of `from` can match callers that are not in the registry: foreign ones, or anonymous ones. */
export function reachesBeyondRegistry(selector: CallerSelector, { set }: Subject): boolean {
  const anonymous: Caller = { kind: "anonymous" };
  if (identityMatches(selector, anonymous, true)) return true;
  if (selector.workload !== undefined || selector.labels !== undefined || selector.anyone !== undefined) return false;
  const { spiffe, trustDomain, addresses } = selector;
  const own = set.mesh.trustDomain;
  const domains = [spiffe?.id.trustDomain, trustDomain].filter((domain) => domain !== undefined);
  if (domains.length === 0) return addresses !== undefined;
  return domains.every((domain) => domain === domains[0] && domain !== own && set.mesh.federated.includes(domain));
}

/** The workloads that a policy protects. */
export function destinationsOf(policy: AccessPolicy, { workloads }: Subject): readonly Workload[] {
  return policy.destinations.flatMap((identity) => workloads.get(identity) ?? []);
}
