import { z } from "zod";
import { openStreams } from "./agent-messages.ts";
import { diagnosticMessage } from "./failure.ts";
import { counter, instant, sha256Hex, source } from "./values.ts";

/** What is known of a federated trust domain. */
const federatedDomain = z.strictObject({
  trustDomain: z.string(),
  /** How its bundle is fetched, and where; absent where the mesh gives a bundle and no endpoint. */
  profile: z.enum(["https_web", "https_spiffe"]).optional(),
  url: z.string().optional(),
  /** Keys that vouch for its identities; absent where no bundle is known, so that its callers are refused. */
  keys: z.int().optional(),
  /** Decimal: below 2^64. */
  sequence: z.string().optional(),
  refreshHintSeconds: z.int().optional(),
  /** When its endpoint last gave the bundle, or said the same again. */
  fetchedAt: instant.optional(),
  nextAt: instant.optional(),
  /** Why the newest attempt came to nothing; what was known before stays in use. */
  problem: z.string().optional(),
});

/** A server for others than agents, as the mesh asks for it. */
const outwardServer = z.strictObject({
  name: z.enum(["bundleEndpoint", "oidcDiscovery"]),
  listen: z.string(),
  /** Why it does not listen. */
  problem: z.string().optional(),
});

/** `GET /v1/federation` (admin). */
export const federationStatus = z.strictObject({
  trustDomain: z.string(),
  /** The own SPIFFE bundle document, for others to begin with. */
  bundle: z.string(),
  federation: z.array(federatedDomain).optional(),
  outward: z.array(outwardServer).optional(),
});
export type FederationStatus = z.infer<typeof federationStatus>;

/** `POST /v1/federation/refresh` (admin): asks all endpoints where none is named. */
export const federationRefresh = z.strictObject({ trustDomain: z.string().optional() });

/** `GET /v1/status` (admin). */
export const authorityStatus = z.strictObject({
  trustDomain: z.string(),
  version: z.string(),
  startedAt: instant,
  /** SHA-256 over the root's SubjectPublicKeyInfo: what agents that attest by token know the authority by. */
  rootFingerprint: sha256Hex.optional(),
  bundle: z
    .strictObject({
      epoch: counter,
      revision: counter,
      issuedAt: instant,
      expiresAt: instant,
      publisher: z.string(),
      destinations: z.int(),
      policies: z.int(),
    })
    .optional(),
  /** Why the newest publish or edit was refused, while an older revision stays in force. */
  refused: z.strictObject({ at: instant, errors: z.int(), first: diagnosticMessage }).optional(),
  /** Publishes that wait for approval, oldest first. */
  pending: z
    .array(z.strictObject({ id: z.string(), at: instant, publisher: z.string(), source, why: z.string() }))
    .optional(),
  revocations: z.strictObject({ sequence: counter, serials: z.int(), identities: z.int() }),
  nodes: z.array(
    z.strictObject({
      node: z.string(),
      enrolled: z.boolean(),
      certificateNotAfter: instant.optional(),
      lastSeen: instant.optional(),
      epoch: counter.optional(),
      revision: counter.optional(),
      revocations: counter.optional(),
    }),
  ),
  authorities: z.array(
    z.strictObject({
      role: z.enum(["root", "intermediate", "policy-signer", "jwt"]),
      serial: z.string(),
      notAfter: instant,
    }),
  ),
  /** Trust domains that the mesh federates with; absent where there are none. */
  federation: z.array(federatedDomain).optional(),
  /** Servers for others than agents; absent where the mesh asks for none. */
  outward: z.array(outwardServer).optional(),
  /** The registered workloads of the set in force; absent before the first publish. */
  workloads: z
    .array(
      z.strictObject({
        identity: z.string(),
        namespace: z.string(),
        name: z.string(),
        mode: z.enum(["enforce", "monitor"]),
        /** Policies that protect it, candidates included. */
        policies: z.int(),
        /** uid that its sockets are created for; absent means the agent's own. */
        uid: z.int().nonnegative().optional(),
        /** Whether its sidecar is rendered from the set; absent means that it brings an Envoy of its own, or none. */
        sidecar: z.literal(true).optional(),
      }),
    )
    .optional(),
});
export type AuthorityStatus = z.infer<typeof authorityStatus>;

/** `GET /v1/open` (admin): what callers have open, as each node told it last. */
export const openReport = z.strictObject({
  nodes: z.array(
    z.strictObject({
      node: z.string(),
      reportedAt: instant,
      /** Sequence of the revocations in force there. */
      revocations: counter,
      open: openStreams,
    }),
  ),
});
export type OpenReport = z.infer<typeof openReport>;
