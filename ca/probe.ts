import { createHash } from "node:crypto";
import type { IssuedCertificate, RenewRequest } from "../protocol/index.ts";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import { type IssuingParts, refused } from "./settling.ts";
import { agentStanding } from "./standing.ts";

/** A probe's certificate is used at once, and for nothing else. */
const PROBE_SECONDS = 60;

/**
 * A short certificate of the authority that is about to sign, in the agent's own name: with it the agent tries whether its
 * sidecars take a handshake. Throws `ERR_CA_ROTATION` where nothing lies prepared, and the codes of a renewal.
 */
export async function issueProbe(
  parts: IssuingParts,
  node: string,
  request: RenewRequest,
  serial?: string,
): Promise<IssuedCertificate> {
  const [issued] = await parts.group.settle<IssuedCertificate>(async (trx) => {
    const standing = await agentStanding(trx, parts.grounds(), node, serial);
    if (!standing.ok) return refused(standing.refusal);
    const { id } = standing;
    const publicKey = parseCsr(Buffer.from(request.csr, "base64url"), id);
    const probe = parts.hierarchy.issueProbe({ id, publicKey, seconds: PROBE_SECONDS });
    if (probe === undefined) throw new CaError("ERR_CA_ROTATION", "no authority lies prepared to try a handshake for");
    const { chain, leaf } = probe;
    const fingerprint = createHash("sha256").update(leaf.der).digest("hex");
    const about = { identity: id.toString(), serial: leaf.serial, notAfter: leaf.notAfter };
    const note = { kind: "authority", ...about, node, evidence: "handshake trial", fingerprint } as const;
    const times = { notBefore: leaf.notBefore.toISOString(), notAfter: leaf.notAfter.toISOString() };
    const credential = { ...about, ...times, chain: chain.map((der) => der.toString("base64url")) };
    return { kind: "issued", issued: [{ note, credential }] };
  });
  if (issued === undefined) throw new Error("a probe without a certificate");
  return issued.credential;
}
