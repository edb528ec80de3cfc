import { z } from "zod";
import { base64url, commit, counter, instant, sha256Hex } from "./values.ts";

/** A signed document as it travels and as it lies on disk: the exact payload bytes and a detached JWS over them. */
export const signedEnvelope = z.strictObject({
  /** base64url of the signed bytes. */
  payload: base64url,
  /** Detached JWS, `<protected>..<signature>`: ES256, header `typ` and `x5c` only. */
  signature: z.string().regex(/^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$/),
});
export type SignedEnvelope = z.infer<typeof signedEnvelope>;

/** JWS `typ` of each signed document. */
export const DOCUMENT_TYPES = {
  bundle: "cellwall-bundle+jws",
  revocations: "cellwall-revocations+jws",
} as const;

/** The policy bundle's manifest, `cellwall.bundle/1`. */
export const bundleManifest = z.strictObject({
  format: z.literal("cellwall.bundle/1"),
  trustDomain: z.string(),
  epoch: counter,
  revision: counter,
  issuedAt: instant,
  expiresAt: instant,
  /** Who published, as in the audit trail. */
  publisher: z.string(),
  /** Who approved it, where it needed to be. */
  approvers: z.array(z.string()).min(1).optional(),
  /** Git commit of the newest published files; ends in `+changes` where the folder held others. */
  commit: commit.optional(),
  /** SHA-256 over the guardrails that the set keeps; absent where it has none. */
  guardrails: sha256Hex.optional(),
  /** Destination identity -> SHA-256 of its shard's bytes. */
  shards: z.record(z.string(), sha256Hex),
});
export type BundleManifest = z.infer<typeof bundleManifest>;

/** The revocations document, `cellwall.revocations/1`. Its `sequence` only grows. */
export const revocationsDocument = z.strictObject({
  format: z.literal("cellwall.revocations/1"),
  trustDomain: z.string(),
  sequence: counter,
  issuedAt: instant,
  /** Serial (lower-case hex without leading zeros) and the instant after which the certificate is expired anyway. */
  serials: z.array(z.strictObject({ serial: z.string().regex(/^[0-9a-f]+$/), notAfter: instant })),
  identities: z.array(z.strictObject({ identity: z.string(), revokedAt: instant, reason: z.string() })),
  nodes: z.array(z.strictObject({ node: z.string(), revokedAt: instant, reason: z.string() })),
  /** Callers whose open streams and connections sidecars are to end; named for as long as one of them could last. */
  severed: z.array(z.strictObject({ identity: z.string(), at: instant })).optional(),
});
export type RevocationsDocument = z.infer<typeof revocationsDocument>;
