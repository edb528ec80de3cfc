import { excerpt } from "./excerpt.ts";
import { SpiffeError } from "./spiffe-error.ts";
import { joinSpiffeId, type SpiffeId } from "./spiffe-id.ts";
import type { TrustDomain } from "./trust-domain.ts";

/** The first path segment of identities that belong to the system (ID-7). */
export const SYSTEM_SEGMENT = "cellwall";

/** Parts of the system that have an identity of their own. */
export type SystemRole = "policy-signer" | "authority" | `agent/${string}`;

/** The identity of a part of the system: `spiffe://<trust domain>/cellwall/<role>`; `ERR_SPIFFE_SYSTEM_ROLE`. */
export function systemId(trustDomain: TrustDomain, role: SystemRole): SpiffeId {
  const segments = role.split("/");
  const known = segments[0] === "agent" ? segments.length === 2 : role === "policy-signer" || role === "authority";
  if (!known) throw new SpiffeError("ERR_SPIFFE_SYSTEM_ROLE", `not a role of the system: ${excerpt(role)}`);
  return joinSpiffeId(trustDomain, [SYSTEM_SEGMENT, ...segments]);
}

/**
 * Whether an ID lies in the part of a trust domain that belongs to the system, of whichever trust domain.
 *
 * SECURITY: no workload may claim such an identity and none is allowed as a caller.
 */
export function isSystemId(id: SpiffeId): boolean {
  return id.path === `/${SYSTEM_SEGMENT}` || id.path.startsWith(`/${SYSTEM_SEGMENT}/`);
}

/** The node of an agent's identity `spiffe://<trust domain>/cellwall/agent/<node>`; nothing for any other ID. */
export function agentNodeOf(id: SpiffeId): string | undefined {
  const [, system, role, node, ...rest] = id.path.split("/");
  return system === SYSTEM_SEGMENT && role === "agent" && rest.length === 0 ? node : undefined;
}
