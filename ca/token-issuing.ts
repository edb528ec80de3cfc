import { createHash } from "node:crypto";
import { printable } from "../policies/index.ts";
import type { IssuedToken, JwtSvidsRequest, JwtSvidsResponse } from "../protocol/index.ts";
import { normalizeSerial, type SpiffeId } from "../spiffe/index.ts";
import { admitWorkload } from "./admission.ts";
import { CaError } from "./ca-error.ts";
import type { Unrecorded } from "./issuance.ts";
import { signToken } from "./jwt-svid.ts";
import { type IssuingParts, refused } from "./settling.ts";
import { agentStanding } from "./standing.ts";

/** How much of each audience the ledger keeps. */
const AUDIENCE_CHARS = 200;

/**
 * JWT-SVIDs of workloads that run on a node, all or none, in the order asked for. Refuses as certificates are refused, and
 * with `ERR_CA_JWT_REQUEST` an audience that is missing or repeated (J-5).
 */
export async function issueJwtSvids(
  parts: IssuingParts,
  node: string,
  request: JwtSvidsRequest,
  serial?: string,
): Promise<JwtSvidsResponse> {
  for (const { audience } of request.requests) demandAudience(audience);
  const issued = await parts.group.settle<IssuedToken>(async (trx) => {
    const standing = await agentStanding(trx, parts.grounds(), node, serial);
    if (!standing.ok) return refused(standing.refusal);
    const checks = request.requests.map(({ identity, audience }) => ({
      audience,
      admitted: admitWorkload(parts.grounds(), standing, identity),
    }));
    const refusals = checks.flatMap(({ admitted }) => (admitted.ok ? [] : [admitted.refusal]));
    if (refusals.length > 0) return refused(...refusals);
    return {
      kind: "issued",
      issued: checks.flatMap(({ admitted, audience }) =>
        admitted.ok ? [issueToken(parts, { ...admitted, audience, node: standing.node.name })] : [],
      ),
    };
  });
  return { tokens: issued.map((one) => one.credential) };
}

function issueToken(
  { grounds, hierarchy }: IssuingParts,
  about: {
    readonly id: SpiffeId;
    readonly evidence: string;
    readonly audience: readonly string[];
    readonly node: string;
  },
): Unrecorded<IssuedToken> {
  const { clock, jwtIssuer, lifetimes, random } = grounds().context;
  const key = hierarchy.tokenKey();
  const second = Math.floor(clock().getTime() / 1000);
  const issuedAt = new Date(second * 1000);
  // A token never outlives the key that verifies it.
  const expiresAt = new Date(Math.min((second + lifetimes.jwtSvidSeconds) * 1000, key.notAfter.getTime()));
  const tokenId = normalizeSerial(random(16).toString("hex"));
  const { id, audience } = about;
  const token = signToken(key, { id, audience, issuedAt, expiresAt, tokenId, issuer: jwtIssuer() });
  const evidence = `${about.evidence}; audience ${audience.map((one) => printable(one, AUDIENCE_CHARS)).join(", ")}`;
  const fingerprint = createHash("sha256").update(token).digest("hex");
  const identity = id.toString();
  return {
    note: { kind: "jwt-svid", identity, serial: tokenId, notAfter: expiresAt, node: about.node, evidence, fingerprint },
    credential: { identity, token, issuedAt: issuedAt.toISOString(), expiresAt: expiresAt.toISOString() },
  };
}

function demandAudience(audience: readonly string[]): void {
  const problem =
    audience.length === 0 || audience.includes("")
      ? "a JWT-SVID needs at least one audience, and none that is empty"
      : new Set(audience).size < audience.length
        ? "an audience is named twice"
        : undefined;
  if (problem !== undefined)
    throw new CaError("ERR_CA_JWT_REQUEST", problem, { hint: "name whoever verifies the token" });
}
