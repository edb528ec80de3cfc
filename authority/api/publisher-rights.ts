import type { OidcProof } from "../../policies/index.ts";
import { AuthorityError } from "../authority-error.ts";
import type { Publications } from "../publications.ts";
import type { Caller } from "./route.ts";

/** Whoever holds the local admin token, in the audit trail. */
export const ACTOR = "local-admin";

/** Somebody who may publish something. */
export interface Party {
  readonly actor: string;
  /** Absent for the local admin, who may publish and approve everything. */
  readonly proofs?: readonly OidcProof[];
}

/** The caller as a party; a route lets nobody else through. */
export function requireParty(caller: Caller): Party {
  if (caller.kind === "admin") return { actor: ACTOR };
  if (caller.kind === "publisher") return caller;
  throw new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", "this needs the local admin token or a publisher's token");
}

/** Throws `ERR_AUTHORITY_FORBIDDEN` unless the caller publishes for the team of the source's name; naming whose it is. */
export function requirePublisher(caller: Caller, source: string, { teams }: Pick<Publications, "teams">): void {
  const { actor, proofs } = requireParty(caller);
  if (proofs === undefined) return;
  const team = teams.get(source);
  if (team?.publishers.some((proof) => meets(proofs, proof)) === true) return;
  const owner = team === undefined ? "the platform" : `the team \`${team.name}\``;
  const own = [...teams.values()].filter(({ publishers }) => publishers.some((proof) => meets(proofs, proof)));
  const names = own.map(({ name }) => `\`--source ${name}\``).join(" or ");
  const shown = source === "" ? "the platform's own source" : `the source \`${source}\``;
  throw new AuthorityError("ERR_AUTHORITY_FORBIDDEN", `\`${actor}\` does not publish ${shown}, which is for ${owner}`, {
    hint: names === "" ? undefined : `publish with ${names}`,
  });
}

/** Throws `ERR_AUTHORITY_FORBIDDEN` unless the caller is one of the mesh's approvers. */
export function requireApprover(caller: Caller, { set }: Pick<Publications, "set">): void {
  const { actor, proofs } = requireParty(caller);
  if (proofs === undefined) return;
  const approvers = set?.mesh.approvals?.approvers ?? [];
  if (approvers.some((proof) => meets(proofs, proof))) return;
  throw new AuthorityError("ERR_AUTHORITY_FORBIDDEN", `\`${actor}\` is no approver of this mesh`, {
    hint: "the Mesh lists them under `approvals.approvers`",
  });
}

function meets(proofs: readonly OidcProof[], wanted: OidcProof): boolean {
  const text = (proof: OidcProof): string =>
    JSON.stringify([proof.issuer, proof.audience, [...proof.claims].sort(), proof.jwks]);
  return proofs.some((proof) => text(proof) === text(wanted));
}
