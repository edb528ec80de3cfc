import { nameOf as policyName } from "../../decide/policies-of.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { AccessPolicy, Attributes } from "../../model/index.ts";
import { linesOf, lineTruth } from "../../reference/lines.ts";
import { situationOf } from "../../reference/situation.ts";
import { attributesOfCase } from "../../tests/case-attributes.ts";
import { testCasesOf } from "../../tests/test-case.ts";
import type { Subject } from "../subject.ts";

/** Lines of live allows that no case of a PolicyTest uses, where there are PolicyTests at all. */
export function untestedGrant(subject: Subject): readonly Finding[] {
  const { set, documents } = subject;
  if (!documents.some(({ kind }) => kind === "PolicyTest")) return [];
  const live = set.policies.filter(({ stage }) => stage === "live");
  const tested = testedLines(subject, live);
  return linesOf(live)
    .filter(({ of, id }) => of.effect === "allow" && !tested.has(id))
    .map(({ id, request, of, owner }) =>
      finding({
        id: "untested-grant",
        severity: "warning",
        about: [id],
        span: request?.span ?? of.span,
        message: `no test uses \`${request?.text ?? "*"}\` of \`${policyName(owner)}/${of.name}\``,
        reason: "nothing tells when a change takes the grant away, or that it is needed",
        remedy: "add a case with `expect: allow` to a PolicyTest, or remove the line",
      }),
    );
}

/** Ids of the lines that some case which expects an allow makes true. */
function testedLines(subject: Subject, live: readonly AccessPolicy[]): ReadonlySet<string> {
  const { set, now, documents } = subject;
  const tested = new Set<string>();
  for (const one of testCasesOf(documents, set)) {
    if (one.stage === "candidate" || one.expected.verdict === "deny") continue;
    const identity = one.destination.identity.toString();
    const about = live.filter(({ destinations }) => destinations.includes(identity));
    for (const id of usedLines(subject, about, attributesOfCase(one, set, now))) tested.add(id);
  }
  return tested;
}

function usedLines({ set }: Subject, policies: readonly AccessPolicy[], attributes: Attributes): readonly string[] {
  const situation = situationOf(set, attributes, set.destinations);
  return linesOf(policies)
    .filter((line) => line.of.effect === "allow" && lineTruth(line, situation) === true)
    .map(({ id }) => id);
}
