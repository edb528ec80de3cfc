import { nameOf } from "../../decide/policies-of.ts";
import { type Finding, finding } from "../../findings/index.ts";
import { type LineOf, placeOf, textOf, type View } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";
import { witnessOf } from "../witness.ts";

/** Lines of an allow that a deny of another policy takes a part of: inside one policy that is how exceptions are written. */
export function contradictedByDeny(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) => {
    if (line.rule.effect === "deny" || standing.kind !== "matters") return [];
    const found = subject.viewsOf(line).map((view) => denied(line, view, subject));
    return found.find((one) => one !== undefined) ?? [];
  });
}

function denied(line: LineOf, view: View, subject: Subject): readonly Finding[] | undefined {
  const others = view.denies.filter(({ policy }) => nameOf(policy) !== nameOf(line.policy));
  for (const deny of others) {
    const answer = subject.ask({ view, all: [line, deny], none: [] });
    if (answer.kind === "found") return [report(line, deny, { ...witnessOf(answer.attributes(), subject) })];
  }
  return undefined;
}

function report(line: LineOf, deny: LineOf, witness: Pick<Finding, "witness">): Finding {
  return finding({
    id: "contradicted-by-deny",
    severity: "note",
    about: [line.lineId, deny.lineId],
    span: placeOf(line),
    message: `${textOf(deny)} of \`${nameOf(deny.policy)}\` denies a part of ${textOf(line)} of \`${line.rule.name}\``,
    reason: "who reads this policy alone takes these requests for allowed",
    remedy: "say in the line what is really allowed, or leave it if the deny is meant to go first",
    related: relatedTo([deny], "denied here"),
    ...witness,
  });
}
