import { createHash } from "node:crypto";
import type { IssuedCertificate } from "../protocol/index.ts";
import type { SpiffeId } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { LedgerNote } from "./ledger.ts";
import type { SignedCertificate } from "./profile.ts";
import type { Refusal } from "./refusal.ts";
import type { LedgerKind } from "./tables.ts";

/** One certificate that all checks allow, but for its key. */
export interface Grant {
  readonly kind: LedgerKind;
  readonly id: SpiffeId;
  readonly node: string;
  readonly evidence: string;
  readonly seconds: number;
  /** base64url DER of the PKCS#10 request. */
  readonly csr: string;
}

/** A signed certificate or token that no ledger holds yet. SECURITY: it is handed out only once `note` is committed. */
export interface Unrecorded<T> {
  readonly note: LedgerNote;
  readonly credential: T;
}

/** Checks a request's key and signs; a request that cannot be accepted is a refusal. */
export function signGrant(
  hierarchy: Hierarchy,
  grant: Grant,
): { ok: true; issued: Unrecorded<IssuedCertificate> } | { ok: false; refusal: Refusal } {
  const { id, seconds, node, evidence } = grant;
  try {
    const publicKey = parseCsr(Buffer.from(grant.csr, "base64url"), id);
    const leaf = hierarchy.issue({ id, publicKey, seconds });
    return {
      ok: true,
      issued: { note: noteOf(grant.kind, id, leaf, { node, evidence }), credential: issuedOf(hierarchy, id, leaf) },
    };
  } catch (error) {
    if (!(error instanceof CaError) || error.code !== "ERR_CA_CSR") throw error;
    const refusal = {
      code: error.code,
      identity: id.toString(),
      node,
      evidence,
      reason: error.message,
      hint: error.hint,
    };
    return { ok: false, refusal };
  }
}

/** The ledger's entry of a certificate. */
export function noteOf(
  kind: LedgerKind,
  id: SpiffeId,
  leaf: SignedCertificate,
  why: { readonly node?: string; readonly evidence: string },
): LedgerNote {
  const fingerprint = createHash("sha256").update(leaf.der).digest("hex");
  return { kind, identity: id.toString(), serial: leaf.serial, notAfter: leaf.notAfter, fingerprint, ...why };
}

function issuedOf(hierarchy: Hierarchy, id: SpiffeId, leaf: SignedCertificate): IssuedCertificate {
  return {
    identity: id.toString(),
    chain: hierarchy.chainOf(leaf).map((der) => der.toString("base64url")),
    serial: leaf.serial,
    notBefore: leaf.notBefore.toISOString(),
    notAfter: leaf.notAfter.toISOString(),
  };
}
