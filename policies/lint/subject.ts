import type { Caller } from "../match/caller.ts";
import { identityMatches } from "../match/caller.ts";
import type {
  AccessPolicy,
  CallerSelector,
  PolicySet,
  RequestLine,
  Rule,
  Span,
  Workload,
  WorkloadName,
} from "../model/index.ts";
import type { Document } from "../syntax/document.ts";

/** One rule and its policy. */
export interface RuleOf {
  readonly policy: AccessPolicy;
  readonly rule: Rule;
  /** `<namespace>/<policy>/<rule>`, with ` (candidate)` after it where the policy is one: stable over moves in the text. */
  readonly id: string;
}

/** What the lints look at: the set, the day, and an index over both. */
export interface Subject {
  readonly set: PolicySet;
  readonly now: Date;
  readonly documents: readonly Document[];
  /** Rules of live and candidate policies, in order of the texts. */
  readonly rules: readonly RuleOf[];
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly byName: ReadonlyMap<string, Workload>;
}

/** Builds the index. */
export function subjectOf(set: PolicySet, now: Date, documents: readonly Document[]): Subject {
  return {
    set,
    now,
    documents,
    rules: set.policies.flatMap(rulesOf),
    workloads: new Map(set.workloads.map((workload) => [workload.identity.toString(), workload])),
    byName: new Map(set.workloads.map((workload) => [nameOf(workload), workload])),
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

/** The lines of a rule; a deny without `requests` has the one line `*`. */
export function linesOf({
  rule,
  id,
}: RuleOf): readonly { readonly line: RequestLine | undefined; readonly id: string }[] {
  return (rule.requests ?? [undefined]).map((line) => ({ line, id: `${id}#${line?.text ?? "*"}` }));
}

/** Where a line stands; the rule's place for a deny without `requests`. */
export function placeOf(rule: Rule, line: RequestLine | undefined): Span {
  return line?.span ?? rule.span;
}

/** The registered workloads that an entry of `from` matches, whatever their address. */
export function callersOf(selector: CallerSelector, { set }: Subject): readonly Workload[] {
  return set.workloads.filter((workload) =>
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
