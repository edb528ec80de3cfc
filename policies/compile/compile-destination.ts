import { nameOf } from "../decide/policies-of.ts";
import { canonicalHost } from "../match/host.ts";
import { foldLine } from "../match/request.ts";
import type { AccessPolicy, RequestLine, Rule, Workload } from "../model/index.ts";
import { CallerRules } from "./caller-rules.ts";
import type { DestinationIndex } from "./compiled.ts";
import type { CompiledLine, CompiledRule } from "./compiled-rule.ts";

/** The policies that touch one destination, each with the sets that it is part of. */
export interface PolicyUse {
  readonly policy: AccessPolicy;
  readonly live: boolean;
  readonly candidate: boolean;
}

/** Compiles the rules that protect one workload. `hasCandidate` says whether a candidate changes anything for it. */
export function compileDestination(
  workload: Workload,
  uses: readonly PolicyUse[],
  hasCandidate: boolean,
): DestinationIndex {
  const orders = lineOrders(uses);
  const rules = uses.flatMap((use) =>
    [...use.policy.deny, ...use.policy.allow].map((rule) => compileRule(rule, use, workload, orders)),
  );
  return {
    workload,
    rules,
    byCaller: new CallerRules(rules),
    hasLivePolicies: uses.some((use) => use.live),
    candidate: hasCandidate ? { hasPolicies: uses.some((use) => use.candidate) } : undefined,
    views: new Map(),
    tables: new Map(),
  };
}

function compileRule(
  rule: Rule,
  use: PolicyUse,
  workload: Workload,
  orders: ReadonlyMap<string, number>,
): CompiledRule {
  const fold = (line: RequestLine): RequestLine => (workload.paths.caseInsensitive ? foldLine(line) : line);
  const { except } = rule;
  const labelled = use.policy.labelled;
  return {
    effect: rule.effect,
    always: rule.always,
    across: new Set(rule.across),
    from: rule.from,
    labelled: labelled && new Set(labelled),
    except:
      except?.from === undefined && except?.requests === undefined
        ? undefined
        : { from: except.from, requests: except.requests?.map(fold) },
    ports: rule.ports && new Set(rule.ports),
    hosts: rule.hosts && new Set(rule.hosts.map(hostText)),
    headers: [...rule.headers],
    query: [...rule.query],
    jwt: rule.jwt,
    notBeforeMs: rule.notBefore?.getTime() ?? Number.NEGATIVE_INFINITY,
    notAfterMs: rule.notAfter?.getTime() ?? Number.POSITIVE_INFINITY,
    lines: requestsOf(rule).map((request) => compileLine(rule, use, request && fold(request), orders)),
  };
}

function compileLine(
  rule: Rule,
  use: PolicyUse,
  request: RequestLine | undefined,
  orders: ReadonlyMap<string, number>,
): CompiledLine {
  const id = lineId(use.policy, rule, request);
  return {
    name: { policy: nameOf(use.policy), rule: rule.name, id },
    request,
    order: orders.get(id) ?? Number.MAX_SAFE_INTEGER,
    live: use.live,
    candidate: use.candidate,
  };
}

function lineOrders(uses: readonly PolicyUse[]): ReadonlyMap<string, number> {
  const ids = uses.flatMap(({ policy }) =>
    [...policy.deny, ...policy.allow].flatMap((rule) => requestsOf(rule).map((line) => lineId(policy, rule, line))),
  );
  return new Map([...new Set(ids)].sort().map((id, order) => [id, order]));
}

/** A deny without `requests` has one line that stands for everything; an allow without has none. */
function requestsOf(rule: Rule): readonly (RequestLine | undefined)[] {
  return rule.requests ?? (rule.effect === "deny" ? [undefined] : []);
}

function lineId(policy: AccessPolicy, rule: Rule, line: RequestLine | undefined): string {
  return `${nameOf(policy)}/${rule.name}#${line?.text ?? "*"}`;
}

function hostText(text: string): string {
  const read = canonicalHost(text);
  return read.ok ? read.host : text;
}
