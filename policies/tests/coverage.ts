import type { Lack } from "../explain/explanation.ts";
import { lacksOf } from "../explain/lacks.ts";
import { lineMatches } from "../match/request-line.ts";
import type { AccessPolicy, PolicySet, Rule } from "../model/index.ts";
import { linesOf, type PolicyLine } from "../reference/lines.ts";
import { apartLabels, type Situation, situationOf } from "../reference/situation.ts";
import type { Document } from "../syntax/document.ts";
import { conditionSpans } from "./condition-spans.ts";
import { type Coverage, type CoverageItem, type CoverageKind, conditionKey, conditionsOf } from "./coverage-item.ts";
import type { CaseResult } from "./judge-case.ts";

interface Draft extends CoverageItem {
  readonly seen: boolean[];
}

/** Works out what the cases show of each line and condition of the live policies. */
export function coverageOf(set: PolicySet, documents: readonly Document[], results: readonly CaseResult[]): Coverage {
  const live = set.policies.filter((policy) => policy.stage === "live");
  const drafts = draftsOf(live, documents);
  const byDestination = linesByDestination(live);
  for (const {
    attributes,
    case: { destination, workload },
  } of results) {
    // The two workloads that a case is about are all that its situation looks up.
    const near: PolicySet = { ...set, workloads: workload === undefined ? [destination] : [destination, workload] };
    const situation = situationOf(near, attributes, [destination.identity.toString()]);
    for (const line of byDestination.get(attributes.destination.toString()) ?? []) look(line, situation, drafts);
  }
  const items = [...drafts.values()];
  const total = items.reduce((sum, { needs }) => sum + needs.length, 0);
  const seen = items.reduce((sum, item) => sum + item.seen.length, 0);
  return { items, total, seen, percent: total === 0 ? 100 : Math.floor((100 * seen) / total) };
}

function linesByDestination(live: readonly AccessPolicy[]): ReadonlyMap<string, readonly PolicyLine[]> {
  const groups = new Map<string, AccessPolicy[]>();
  for (const policy of live)
    for (const identity of policy.destinations) {
      const group = groups.get(identity);
      if (group === undefined) groups.set(identity, [policy]);
      else group.push(policy);
    }
  return new Map([...groups].map(([identity, policies]) => [identity, linesOf(policies)]));
}

function draftsOf(live: readonly AccessPolicy[], documents: readonly Document[]): ReadonlyMap<string, Draft> {
  const spans = conditionSpans(documents);
  const drafts = new Map<string, Draft>();
  const add = (
    line: Pick<PolicyLine, "policy" | "rule">,
    item: Pick<Draft, "kind" | "text" | "span" | "needs">,
    key: string,
  ) => drafts.set(key, { ...item, id: key, policy: line.policy, rule: line.rule, seen: [] });
  for (const line of linesOf(live)) {
    const span = line.request?.span ?? line.of.span;
    add(line, { kind: "line", text: line.request?.text ?? "every request", span, needs: [true] }, line.id);
    for (const { kind, name, text } of conditionsOf(line.of)) {
      const key = conditionKey(line, kind, name);
      const at = spans.get(key) ?? line.of.span;
      if (!drafts.has(key)) add(line, { kind, text, span: at, needs: kind === "across" ? [true] : [true, false] }, key);
    }
  }
  return drafts;
}

function look(line: PolicyLine, situation: Situation, drafts: ReadonlyMap<string, Draft>): void {
  // Of a line about other requests nothing is seen, and most are.
  const { request, of } = line;
  const folded = situation.destination?.paths.caseInsensitive === true;
  if (request !== undefined && !folded && lineMatches(of.effect, request, situation.request) !== true) return;
  const lacks = lacksOf(line, situation);
  const see = (kind: CoverageKind, name: string, value: boolean): void =>
    note(drafts.get(conditionKey(line, kind, name)), value);
  if (lacks.length === 0) {
    note(drafts.get(line.id), true);
    const apart = apartLabels(situation);
    for (const { kind, name } of conditionsOf(line.of))
      if (kind !== "across" || apart.includes(name)) see(kind, name, kind !== "except");
    return;
  }
  const [only, second] = lacks;
  if (only === undefined || second !== undefined || only.unknown) return;
  for (const [kind, name] of conditionsBehind(only, line.of, situation)) see(kind, name, kind === "except");
}

/** Which conditions of a rule a lack is about; none where it is about the caller or the request line. */
function conditionsBehind(
  lack: Lack,
  rule: Rule,
  { attributes }: Situation,
): readonly (readonly [CoverageKind, string])[] {
  switch (lack.kind) {
    case "header":
    case "query":
      return [[lack.kind, lack.name]];
    case "token":
      return [["jwt", ""]];
    case "host":
      return [["hosts", ""]];
    case "port":
      return rule.ports === undefined ? [] : [["ports", ""]];
    case "except":
      return [["except", ""]];
    case "time":
      return [[rule.notBefore !== undefined && attributes.now < rule.notBefore ? "notBefore" : "notAfter", ""]];
    case "caller":
    case "label":
    case "address":
    case "isolation":
    case "request":
    case "method":
    case "segment":
    case "trailing-slash":
    case "path":
      return [];
  }
}

function note(item: Draft | undefined, value: boolean): void {
  if (item?.needs.includes(value) && !item.seen.includes(value)) item.seen.push(value);
}
