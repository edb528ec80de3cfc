import { printable } from "../policies/index.ts";
import { type SpiffeId, tryParseSpiffeId } from "../spiffe/index.ts";
import type { Refusal } from "./refusal.ts";
import type { Grounds, Standing } from "./standing.ts";

/** Whether a node's agent may have credentials of an identity, and on what grounds. */
export type WorkloadAdmission =
  | { readonly ok: true; readonly id: SpiffeId; readonly evidence: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** SECURITY: the identity that was asked for is only looked up; what is signed is the registry's own. */
export function admitWorkload(
  { registry, revocations }: Grounds,
  standing: Standing & { ok: true },
  identity: string,
): WorkloadAdmission {
  const about = { identity: printable(identity), node: standing.node.name, evidence: standing.evidence };
  const read = tryParseSpiffeId(identity);
  if (!read.ok) return { ok: false, refusal: { ...about, code: "ERR_CA_UNREGISTERED", reason: read.message } };
  const workload = registry.workload(identity);
  if (workload === undefined) return { ok: false, refusal: { ...about, ...unregistered(identity) } };
  if (registry.external) return { ok: false, refusal: { ...about, ...external(identity) } };
  const admission = registry.admit(standing.node, workload);
  if (!admission.ok) return { ok: false, refusal: { ...about, ...notOnNode(identity, admission.reason) } };
  if (revocations.isIdentityRevoked(identity)) return { ok: false, refusal: { ...about, ...revoked(identity) } };
  return { ok: true, id: workload.identity, evidence: admission.evidence };
}

function unregistered(identity: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const reason = `no \`Workload\` document has the identity \`${printable(identity)}\``;
  return { code: "ERR_CA_UNREGISTERED", reason, hint: "publish the workload before its agent asks for it" };
}

function external(identity: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const reason = `\`${printable(identity)}\` is issued by another authority: the \`Mesh\` says \`identity.issuer: external\``;
  return { code: "ERR_CA_EXTERNAL_ISSUER", reason, hint: "ask that authority, or remove `identity` from the Mesh" };
}

function notOnNode(identity: string, why: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const reason = `\`${identity}\` is not issued to this node: ${why}`;
  return { code: "ERR_CA_NOT_ON_NODE", reason, hint: "check the workload's `runsOn` and the node's labels" };
}

function revoked(identity: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const hint = "a revoked identity stays refused: give the workload a new one";
  return { code: "ERR_CA_REVOKED", reason: `\`${identity}\` has been revoked`, hint };
}
