import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector, Rule } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import { passing } from "../passing.ts";
import type { Subject } from "../subject.ts";

/** One way past a deny: what the caller chooses, and the deny as it would be without. */
interface Way {
  readonly what: string;
  readonly without: Rule;
}

/** Denies that a caller gets past by what it sends itself: headers, query, host, token, or by another address. */
export function evadableDeny(subject: Subject): readonly Finding[] {
  return subject.denyLines().flatMap((line) =>
    (keepsOut(line, subject) ? waysPast(line.rule) : []).flatMap((way) => {
      const witness = passing({ ...line, rule: way.without }, line, subject);
      return witness === undefined ? [] : [report(line, way, witness)];
    }),
  );
}

/** Whether the line denies anything that is allowed otherwise. */
function keepsOut(line: LineOf, subject: Subject): boolean {
  if (waysPast(line.rule).length === 0) return false;
  const views = subject.viewsOf(line);
  return views.some((view) => subject.ask({ view, all: [line], none: [], some: view.allows }).kind !== "none");
}

function report(line: LineOf, { what }: Way, witness: Pick<Finding, "witness">): Finding {
  return finding({
    id: "evadable-deny",
    severity: "warning",
    about: [line.lineId, what],
    span: placeOf(line),
    message: `a caller gets past ${textOf(line)} of the deny \`${line.rule.name}\` by another ${what}`,
    reason: "the caller chooses it, so the deny holds for callers who want it to hold",
    remedy: "deny without the condition, and say who is spared under `except`; or ask for the condition in the allow",
    ...witness,
  });
}

function waysPast(rule: Rule): readonly Way[] {
  const { hosts, headers, query, jwt, from } = rule;
  const ways: Way[] = [];
  for (const name of headers.keys())
    ways.push({ what: `header \`${name}\``, without: { ...rule, headers: leaveOut(headers, name) } });
  for (const name of query.keys())
    ways.push({ what: `query parameter \`${name}\``, without: { ...rule, query: leaveOut(query, name) } });
  if (hosts !== undefined) ways.push({ what: "host", without: omit(rule, "hosts") });
  if (jwt !== undefined) ways.push({ what: "token", without: omit(rule, "jwt") });
  if (from?.some(({ addresses }) => addresses !== undefined) === true)
    ways.push({ what: "address", without: { ...rule, from: from.map(anywhere) } });
  return ways;
}

function leaveOut<T>(map: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> {
  return new Map([...map].filter(([key]) => key !== name));
}

function omit(rule: Rule, key: "hosts" | "jwt"): Rule {
  const { [key]: _, ...rest } = rule;
  return rest;
}

/** The entry wherever its caller is. Of one that names nothing but addresses, every registered caller is left. */
function anywhere({ addresses, ...entry }: CallerSelector): CallerSelector {
  if (addresses === undefined) return entry;
  const { workload, labels, spiffe, trustDomain, anyone } = entry;
  const named = workload ?? labels ?? spiffe ?? trustDomain ?? anyone;
  return named === undefined ? { ...entry, anyone: "authenticated" } : entry;
}
