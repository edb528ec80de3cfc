import type { LineName } from "../compile/compiled-rule.ts";
import { nameOf } from "../decide/policies-of.ts";
import { fromMatches } from "../match/caller.ts";
import { canonicalHost } from "../match/host.ts";
import { foldLine } from "../match/request.ts";
import { lineMatches } from "../match/request-line.ts";
import { type TokenTruth, tokenMatches } from "../match/token.ts";
import { both, either, negate, type Truth } from "../match/truth.ts";
import { isCleanHeader, isCleanQuery, valuesMatch } from "../match/values.ts";
import type { AccessPolicy, CallerSelector, Matcher, RequestLine, Rule } from "../model/index.ts";
import type { Situation } from "./situation.ts";

/** One line of one rule of one policy. */
export interface PolicyLine extends LineName {
  readonly owner: AccessPolicy;
  readonly of: Rule;
  /** Absent in a deny without `requests`: every request and every connection. */
  readonly request: RequestLine | undefined;
}

/** Every line of the policies, ordered by id: the order in which files were read never matters. */
export function linesOf(policies: readonly AccessPolicy[]): readonly PolicyLine[] {
  const lines = policies.flatMap((owner) =>
    [...owner.deny, ...owner.allow].flatMap((of) =>
      (of.requests ?? [undefined]).map((line) => lineOf(owner, of, line)),
    ),
  );
  return lines.sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
}

function lineOf(owner: AccessPolicy, of: Rule, request: RequestLine | undefined): PolicyLine {
  const policy = nameOf(owner);
  return { policy, rule: of.name, id: `${policy}/${of.name}#${request?.text ?? "*"}`, owner, of, request };
}

/** Whether a line matches: every condition of its rule and the line itself. A token is asked for last. */
export function lineTruth(line: PolicyLine, situation: Situation): TokenTruth {
  const { of: rule } = line;
  const truth = [
    rule.from === undefined ? rule.effect === "deny" : callersMatch(rule.from, line, situation),
    line.request === undefined ? rule.effect === "deny" : requestMatches(rule.effect, line.request, situation),
    rule.ports === undefined || rule.ports.includes(situation.attributes.listener.port),
    hostsMatch(rule, situation),
    headersMatch(rule, situation),
    queryMatches(rule, situation),
    inTime(rule, situation),
    negate(exceptMatches(line, situation)),
  ].reduce(both, true);
  if (truth === false) return false;
  const token = tokenTruth(rule, situation);
  if (token === "no-token") return truth === true ? token : false;
  return both(truth, token);
}

/** Whether the rule's token condition holds; true where it has none. */
export function tokenTruth(rule: Rule, situation: Situation): TokenTruth {
  return rule.jwt === undefined ? true : tokenMatches(rule.effect, rule.jwt, situation.attributes);
}

function callersMatch(from: readonly CallerSelector[], line: PolicyLine, situation: Situation): Truth {
  const { caller, address } = situation;
  if (caller === undefined) return false;
  return fromMatches(from, caller, { address, labelsKnown: labelsKnownOf(line, situation) });
}

/** Whether this set knows every label of the caller that the line's policy may ask for (`AccessPolicy.labelled`). */
export function labelsKnownOf(line: PolicyLine, { caller }: Situation): boolean {
  const { labelled } = line.owner;
  if (labelled === undefined) return true;
  return caller !== undefined && caller.kind !== "anonymous" && labelled.includes(caller.id.toString());
}

function requestMatches(effect: Rule["effect"], line: RequestLine, situation: Situation): Truth {
  const read = situation.destination?.paths.caseInsensitive ? foldLine(line) : line;
  return lineMatches(effect, read, situation.request);
}

function hostsMatch(rule: Rule, { attributes, host }: Situation): Truth {
  if (rule.hosts === undefined) return true;
  if (attributes.http === undefined || host === undefined) return false;
  if (attributes.unrecorded !== undefined) return "unknown";
  return host.ok ? rule.hosts.some((text) => hostText(text) === host.host) : "unknown";
}

function hostText(text: string): string {
  const read = canonicalHost(text);
  return read.ok ? read.host : text;
}

function headersMatch(rule: Rule, { attributes }: Situation): Truth {
  const { http, unrecorded } = attributes;
  if (http === undefined && rule.effect === "allow") return rule.headers.size === 0;
  let truth: Truth = true;
  for (const [name, matcher] of rule.headers) {
    const unknown = unrecorded !== undefined || attributes.withheldHeaders?.has(name) === true;
    if (http !== undefined && unknown) truth = both(truth, "unknown");
    else truth = both(truth, valuesMatch(rule.effect, matcher, http?.headers.get(name) ?? [], isCleanHeader));
  }
  return truth;
}

function queryMatches(rule: Rule, { attributes, path, query }: Situation): Truth {
  if (rule.query.size === 0) return true;
  if (attributes.http === undefined && rule.effect === "allow") return false;
  if (path !== undefined && (!path.ok || attributes.unrecorded !== undefined)) return "unknown";
  if (query === "malformed") return rule.effect === "deny";
  const passes = ([name, matcher]: readonly [string, Matcher]): boolean =>
    valuesMatch(rule.effect, matcher, query.get(name) ?? [], isCleanQuery);
  return [...rule.query].every(passes);
}

/** Whether now lies within the rule's time. */
export function inTime(rule: Rule, { attributes }: Situation): boolean {
  const now = attributes.now.getTime();
  return (rule.notBefore?.getTime() ?? now) <= now && now <= (rule.notAfter?.getTime() ?? now);
}

/** What `except` names, read as the other effect reads it: it carves widely out of an allow, narrowly out of a deny. */
export function exceptMatches(line: PolicyLine, situation: Situation): Truth {
  const { except, effect } = line.of;
  if (except?.from === undefined && except?.requests === undefined) return false;
  const reading = effect === "allow" ? "deny" : "allow";
  const from = except.from === undefined ? true : callersMatch(except.from, line, situation);
  const requests = except.requests?.map((request) => requestMatches(reading, request, situation));
  return both(from, requests === undefined ? true : requests.reduce(either, false));
}
