import { nameOf as policyName } from "../../decide/policies-of.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { AccessPolicy, PolicySet, Workload } from "../../model/index.ts";
import { linesOf, lineTruth, type PolicyLine } from "../../reference/lines.ts";
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
function testedLines({ set, now, documents }: Subject, live: readonly AccessPolicy[]): ReadonlySet<string> {
  const tested = new Set<string>();
  const allows = new Map<Workload, readonly PolicyLine[]>();
  for (const one of testCasesOf(documents, set)) {
    if (one.stage === "candidate" || one.expected.verdict === "deny") continue;
    const { destination, workload } = one;
    const lines = allows.get(destination) ?? allowsAt(destination, live);
    allows.set(destination, lines);
    // The two workloads that a case is about are all that its situation looks up.
    const near: PolicySet = { ...set, workloads: workload === undefined ? [destination] : [destination, workload] };
    const situation = situationOf(near, attributesOfCase(one, set, now), [destination.identity.toString()]);
    for (const line of lines) if (lineTruth(line, situation) === true) tested.add(line.id);
  }
  return tested;
}

/** The lines of the allows that protect a workload. */
function allowsAt({ identity }: Workload, live: readonly AccessPolicy[]): readonly PolicyLine[] {
  const about = live.filter(({ destinations }) => destinations.includes(identity.toString()));
  return linesOf(about).filter(({ of }) => of.effect === "allow");
}
