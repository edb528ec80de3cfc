import { DOCUMENT_TYPES, type SignedEnvelope } from "../../protocol/index.ts";
import { systemId, type TrustBundle, verifySignedDocument } from "../../spiffe/index.ts";
import type { RefusalReason } from "./refusal.ts";

/** An envelope as it lies on disk, with the instant at which its signer was valid. */
export interface StoredEnvelope {
  readonly envelope: SignedEnvelope;
  /** The document's own `issuedAt`, repeated so that the signature can be checked before anything in it is read. */
  readonly issuedAt: string;
}

export type Opened =
  | { readonly ok: true; readonly content: unknown; readonly payload: Buffer }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string };

/**
 * Verifies an envelope and only then parses it. The signer is exactly `spiffe://<td>/cellwall/policy-signer` of the own trust domain,
 * valid at `at`: now at intake; the document's `issuedAt` when read back from disk.
 */
export async function openDocument(
  envelope: SignedEnvelope,
  what: keyof typeof DOCUMENT_TYPES,
  trust: { readonly bundle: TrustBundle; readonly at: Date },
): Promise<Opened> {
  const payload = Buffer.from(envelope.payload, "base64url");
  const verified = await verifySignedDocument({
    payload,
    signature: envelope.signature,
    typ: DOCUMENT_TYPES[what],
    signer: systemId(trust.bundle.trustDomain, "policy-signer"),
    bundle: trust.bundle,
    at: trust.at,
  });
  if (!verified.ok) return { ok: false, reason: "unknown-signer", detail: `${verified.message} (${verified.code})` };
  try {
    return { ok: true, content: JSON.parse(payload.toString("utf8")), payload };
  } catch {
    return { ok: false, reason: "unreadable", detail: "the signed content is not JSON" };
  }
}

/** The `format` of a parsed document; empty where it has none. */
export function formatOf(content: unknown): string {
  const isRecord = typeof content === "object" && content !== null && "format" in content;
  return isRecord && typeof content.format === "string" ? content.format : "";
}
