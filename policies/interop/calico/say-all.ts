import { GRPC_BY_SERVICE } from "../draft/everything.ts";
import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import { isMethod } from "../paths/known-methods.ts";
import type { RequestScope } from "../report.ts";
import type { CalicoPolicy, CalicoRule } from "./policy.ts";
import type { CalicoDocuments } from "./read-policies.ts";

const NO_REGISTRY =
  "ordered policies are worked out for registered workloads, and the import was given none: no registry";
const ANONYMOUS = "a caller without identity satisfies no selector here, and every one in the source";
const FOREIGN =
  "nothing is known of the workloads of another trust domain: no allow that asks for more is taken to mean them";
const HTTP_EXCEPT = "an exception reaches HEAD with GET, and the other spelling of a trailing slash";
const EXACT = "in its place in the order, every request but those of the scopes named gets its verdict";

/** Reports what became of policies and their rules. */
export function sayAll({ policies }: CalicoDocuments, world: World, notes: Notes): void {
  for (const policy of policies) {
    const { place, construct, ingress, egress } = policy;
    const narrower = (reason: string, scope: RequestScope): void =>
      notes.add(place, construct, "narrower", reason, { scope });
    if (world.workloads.length === 0) notes.add(place, construct, "unsupported", NO_REGISTRY);
    narrower(GRPC_BY_SERVICE, "grpc");
    narrower(ANONYMOUS, "anonymous");
    if (world.foreign.length > 0) narrower(FOREIGN, "foreign");
    for (const rule of ingress ?? []) sayIngress(rule, construct, notes);
    if (egress !== undefined) sayEgress(policy, egress, notes);
  }
}

function sayIngress(rule: CalicoRule, construct: string, notes: Notes): void {
  const { place, action, methods, paths } = rule;
  const narrower = (reason: string, scope: RequestScope, subject?: string): void =>
    notes.add(place, construct, "narrower", reason, { scope, ...(subject === undefined ? {} : { subject }) });
  const unseen = unseenOf(rule);
  for (const what of unseen)
    notes.add(
      place,
      construct,
      action === "allow" ? "unsupported" : "narrower",
      `${what} not known here; an allow that asks for it is left out, a deny holds whatever it is, a Pass denies`,
    );
  for (const method of methods?.filter((one) => !isMethod(one)) ?? [])
    narrower("no request has such a method", "method", method);
  if (action === "allow" && (methods !== undefined || paths !== undefined))
    narrower("a connection has no method and no path, which the source takes for a match", "connection");
  if (action !== "allow" && (methods !== undefined || paths !== undefined)) {
    if (methods?.includes("GET") === true && !methods.includes("HEAD")) narrower(HTTP_EXCEPT, "head");
    if (paths !== undefined) narrower(HTTP_EXCEPT, "trailing-slash");
  }
  if (unseen.length === 0) notes.add(place, construct, "exact", EXACT);
}

/** What a rule asks for that no decision sees. */
function unseenOf({ source, destination, ofUnknown }: CalicoRule): readonly string[] {
  return [
    ...(ofUnknown ? ["labels of service accounts, by which the policy selects, are"] : []),
    ...(source.ports !== undefined || source.notPorts.length > 0 ? ["the caller's own port is"] : []),
    ...(destination.nets !== undefined || destination.notNets.length > 0 ? ["the destination's address is"] : []),
    ...[...source.untold, ...destination.untold].map((key) => `\`${key}\` is`),
  ];
}

function sayEgress({ place, construct }: CalicoPolicy, rules: readonly CalicoRule[], notes: Notes): void {
  const say = (fidelity: "exact" | "narrower" | "unsupported", reason: string, scope?: RequestScope): void =>
    notes.add(place, `${construct}: egress`, fidelity, reason, scope === undefined ? {} : { scope });
  say("exact", "what a caller may not reach is taken from what each registered callee allows it");
  say(
    "unsupported",
    "destinations that are no registered workloads are out of reach of a sidecar at the callee",
    "unregistered",
  );
  const isUnseen = rules.some(
    (rule) => unseenOf(rule).length > 0 || rule.source.nets !== undefined || rule.source.notNets.length > 0,
  );
  if (isUnseen) say("narrower", "what asks for addresses or for what is not known opens no way out", "egress");
}
