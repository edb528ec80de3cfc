import { z } from "zod";
import { counter, instant, sha256Hex } from "./values.ts";

/** `POST /v1/revocations` (admin): exactly one of the three. */
export const revokeRequest = z.strictObject({
  serial: z.string().optional(),
  identity: z.string().optional(),
  node: z.string().optional(),
  reason: z.string().min(1),
  /** Ends what is open already, too. */
  sever: z.boolean().optional(),
});
export type RevokeRequest = z.infer<typeof revokeRequest>;

export const revokeResponse = z.strictObject({ sequence: counter, serials: z.int(), identities: z.array(z.string()) });
export type RevokeResponse = z.infer<typeof revokeResponse>;

/** `POST /v1/join-tokens` (admin). */
export const joinTokenRequest = z.strictObject({ node: z.string() });

export const joinTokenResponse = z.strictObject({ token: z.string(), node: z.string(), expiresAt: instant });
export type JoinTokenResponse = z.infer<typeof joinTokenResponse>;

/** What can be replaced; a root brings an intermediate of its own. */
const rotatable = z.enum(["root", "intermediate", "jwt"]);

/** `POST /v1/ca/rotations` (admin). */
export const rotateRequest = z.strictObject({
  what: rotatable,
  /** The key may be in other hands: what it signed is replaced and it is no longer believed, at the latest after the deadline. */
  compromised: z.boolean().default(false),
  /** Signs with what is prepared, whoever has not confirmed it. */
  force: z.boolean().default(false),
  /** For a compromised key: how long each of the two steps may wait for sidecars. */
  deadlineSeconds: z.int().min(1).max(86_400).default(60),
  reason: z.string().max(1024).default(""),
});
export type RotateRequest = z.input<typeof rotateRequest>;
export type RotateOrder = z.infer<typeof rotateRequest>;

/** Answer to `POST /v1/ca/requests` (admin): a PKCS#10 request for an intermediate, in PEM. */
export const signingRequest = z.strictObject({ request: z.string() });

/** `GET /v1/ca/crl` (admin): revocation lists of every authority in PEM; none where the authority signs none. */
export const revocationListsMessage = z.strictObject({ lists: z.array(z.string()), until: instant.optional() });

/** `POST /v1/ca/imports` (admin): certificates in PEM; the intermediate's key waits where its request was made. */
export const importRequest = z.strictObject({
  root: z.string(),
  chain: z.string(),
  reason: z.string().max(1024).default(""),
});

/** Who has not confirmed yet, and why. */
const laggard = z.strictObject({ node: z.string(), workload: z.string().optional(), reason: z.string() });
export type Laggard = z.infer<typeof laggard>;

/** One replacement under way. */
export const rotationStatus = z.strictObject({
  what: rotatable,
  phase: z.enum(["distributing", "probing", "replacing", "outlasting"]),
  compromised: z.boolean(),
  /** When the phase began, and when it ends without those who lag behind. */
  since: instant,
  until: instant.optional(),
  laggards: z.array(laggard),
});
export type RotationStatus = z.infer<typeof rotationStatus>;

/** `GET /v1/ca/status` (admin), and the answer to a rotation. */
export const caStatus = z.strictObject({
  trustDomain: z.string(),
  now: instant,
  bundle: z.strictObject({ sequence: z.string(), sha256: sha256Hex }),
  authorities: z.array(
    z.strictObject({
      role: z.enum(["root", "intermediate", "policy-signer", "jwt"]),
      state: z.enum(["prepared", "active", "retired"]),
      serial: z.string(),
      notAfter: instant,
      /** When its successor is made by itself; absent where that is left to people. */
      renewAt: instant.optional(),
      /** Until when a retired one is believed. */
      removeAt: instant.optional(),
      /** Whether its private key is kept here. */
      key: z.enum(["here", "elsewhere"]),
      compromised: z.boolean(),
      /** The authority was founded on this root: people replace it. */
      brought: z.boolean().optional(),
    }),
  ),
  rotations: z.array(rotationStatus),
  /** Nodes that hold certificates in force. */
  holders: z.array(
    z.strictObject({
      node: z.string(),
      agentNotAfter: instant.optional(),
      /** Identities of workloads with a certificate in force. */
      workloads: z.int(),
      /** When the first of them ends. */
      firstNotAfter: instant.optional(),
      sidecars: z.int().optional(),
      /** Sidecars in which the trust bundle of now is in force. */
      confirmed: z.int().optional(),
      /** Last report. */
      reportedAt: instant.optional(),
    }),
  ),
  ledger: z.strictObject({ entries: z.int(), head: sha256Hex, epoch: z.int() }),
  /** Lists of revoked certificates (CRLs), where they are asked for; `problem` says why there are none. */
  revocationLists: z
    .strictObject({ lists: z.int(), until: instant.optional(), problem: z.string().optional() })
    .optional(),
  lifetimes: z.record(z.string(), z.int()),
});
export type CaStatus = z.infer<typeof caStatus>;

/** `GET /v1/ledger` (admin): newest first. */
export const ledgerEntries = z.strictObject({
  entries: z.array(
    z.strictObject({
      sequence: counter,
      at: instant,
      kind: z.enum(["x509-svid", "jwt-svid", "agent", "authority", "policy-signer", "refusal"]),
      identity: z.string(),
      serial: z.string().optional(),
      notAfter: instant.optional(),
      node: z.string().optional(),
      /** What the issue or refusal rests on, e.g. `join-token 3f…`, `runsOn pool=apps`. */
      evidence: z.string(),
      reason: z.string().optional(),
      /** With `proof`: SHA-256 of the certificate's DER or the token's text, and the entry's place in the chain. */
      fingerprint: sha256Hex.optional(),
      previous: sha256Hex.optional(),
      hash: sha256Hex.optional(),
    }),
  ),
});
export type LedgerEntries = z.infer<typeof ledgerEntries>;

/** `GET /v1/ledger/check` (admin): the whole chain, walked. */
export const ledgerCheck = z.discriminatedUnion("ok", [
  z.strictObject({ ok: z.literal(true), entries: counter, head: z.string() }),
  z.strictObject({ ok: z.literal(false), sequence: counter, problem: z.string() }),
]);
export type LedgerCheckResult = z.infer<typeof ledgerCheck>;
