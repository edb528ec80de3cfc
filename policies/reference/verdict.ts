import { isSystemId } from "../../spiffe/index.ts";
import type { LineName } from "../compile/compiled-rule.ts";
import type { Ruling } from "../decide/seal-decision.ts";
import type { TokenTruth } from "../match/token.ts";
import type { AccessPolicy, ReasonCode, Revocations } from "../model/index.ts";
import { linesOf, lineTruth, type PolicyLine } from "./lines.ts";
import { apartLabels, type Situation } from "./situation.ts";

interface Judged {
  readonly line: PolicyLine;
  readonly truth: TokenTruth;
}

/** docs/semantics.md, "Verdict", step 1: what is denied before any rule and never relaxed; nothing where all is well. */
export function intakeRefusal(situation: Situation, revocations: Revocations | undefined): Ruling | undefined {
  const { attributes, destination, caller, set } = situation;
  const edge = attributes.listener.kind === "edge";
  if (destination === undefined) return intake("unknown-destination");
  if (attributes.callerProblem !== undefined) return intake("malformed-identity", attributes.callerProblem);
  if (edge) return undefined;
  const id = attributes.caller;
  if (id === undefined) return intake("malformed-identity", "no identity on a mesh listener");
  const own = id.trustDomain === set.mesh.trustDomain;
  if (!own && !set.mesh.federated.includes(id.trustDomain)) return intake("untrusted-domain");
  if (caller === undefined && !isSystemId(id)) return intake("unregistered-identity");
  if (revocations?.identities.has(id.toString())) return intake("revoked-identity", "the identity is revoked");
  if (attributes.callerSerial !== undefined && revocations?.serials.has(attributes.callerSerial)) {
    return intake("revoked-identity", "the certificate is revoked");
  }
  return isSystemId(id) ? intake("system-identity") : undefined;
}

/** docs/semantics.md, "Verdict", the rest of step 1 and steps 2 to 4, over one set of policies. */
export function judge(policies: readonly AccessPolicy[], situation: Situation): Ruling {
  const apart = apartLabels(situation);
  const judged = linesOf(policies).map((line) => ({ line, truth: lineTruth(line, situation) }));
  const denies = judged.filter(({ line }) => line.of.effect === "deny");
  const allows = judged
    .filter(({ line }) => line.of.effect === "allow")
    .filter(({ line }) => apart.every((label) => line.of.across.includes(label)));
  const held = denies.some(({ line, truth }) => line.of.always && truth !== false);

  if (situation.path?.ok === false) return { ...intake("ambiguous-path", situation.path.reason), held };
  if (situation.host?.ok === false) return { ...intake("ambiguous-host", situation.host.reason), held };
  if (apart.length > 0 && allows.every(({ truth }) => truth === false)) {
    return { ...intake("isolated", apart.join(", ")), held };
  }

  const denied = first(denies, true, always) ?? first(denies, true);
  if (denied) return { verdict: "deny", reason: "denied-by-rule", phase: "deny", line: denied, held };
  const unknown = first(denies, "unknown") ?? first(allows, "unknown");
  if (unknown) return { verdict: "deny", reason: "cannot-evaluate", phase: "failure", line: unknown };
  const allowed = first(allows, true);
  if (allowed) return { verdict: "allow", reason: "allowed-by-rule", phase: "allow", line: allowed };
  const noToken = first(allows, "no-token") !== undefined;
  const reason = policies.length === 0 ? "no-policy-protects" : "no-rule-matched";
  return { verdict: "deny", reason, phase: "default", noToken };
}

const always = ({ line }: Judged): boolean => line.of.always;

function first(
  judged: readonly Judged[],
  truth: TokenTruth,
  also = (_: Judged): boolean => true,
): LineName | undefined {
  return judged.find((each) => each.truth === truth && also(each))?.line;
}

function intake(reason: ReasonCode, detail?: string): Ruling {
  return { verdict: "deny", reason, phase: "intake", ...(detail === undefined ? {} : { detail }) };
}
