import type { DOCUMENT_TYPES, SignedEnvelope } from "../protocol/index.ts";
import { signDocument } from "../spiffe/index.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { SignedRow } from "./tables.ts";

/** Signs a document with the policy signer in use. */
export async function signRow(
  hierarchy: Hierarchy,
  typ: (typeof DOCUMENT_TYPES)[keyof typeof DOCUMENT_TYPES],
  document: object,
): Promise<SignedRow> {
  const svid = hierarchy.signer();
  const payload = Buffer.from(canonicalJson(document), "utf8");
  return { payload, signature: await signDocument({ payload, typ, svid }), signer: svid.serial };
}

/** A signed document as it travels: the very bytes that were signed. */
export function envelopeOf(row: SignedRow): SignedEnvelope {
  return Object.freeze({ payload: row.payload.toString("base64url"), signature: row.signature });
}
