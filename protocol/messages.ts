import { z } from "zod";
import { ProtocolError } from "./protocol-error.ts";

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.iso.datetime();
const counter = z.int().nonnegative();
const commit = z.string().regex(/^[0-9a-f]{7,64}(?:\+changes)?$/);
/** Name of a source: what one publisher publishes, replaced as a whole; `""` is the platform's own. */
const source = z.string().regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/);

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
});
export type RevocationsDocument = z.infer<typeof revocationsDocument>;

/** `POST /v1/enrol`: a join token and a PKCS#10 request (base64url DER) for the agent's own key. */
export const enrolRequest = z.strictObject({ token: z.string(), csr: base64url });
export type EnrolRequest = z.infer<typeof enrolRequest>;

/** `POST /v1/attest`: a token of an issuer or cluster that a `Node` names, and a PKCS#10 request for the agent's own key. */
export const attestRequest = z.strictObject({
  token: z.string(),
  /** The node that the agent means to be, where the token fits several. */
  node: z.string().optional(),
  csr: base64url,
});
export type AttestRequest = z.infer<typeof attestRequest>;

/** A certificate chain, leaf first, without the root; base64url DER each. */
export const issuedCertificate = z.strictObject({
  identity: z.string(),
  chain: z.array(base64url).min(1),
  serial: z.string(),
  notBefore: instant,
  notAfter: instant,
});
export type IssuedCertificate = z.infer<typeof issuedCertificate>;

/** Answer to `POST /v1/enrol` and `POST /v1/renew`. */
export const enrolResponse = z.strictObject({
  node: z.string(),
  certificate: issuedCertificate,
  /** The own trust domain's SPIFFE bundle document (JWK Set) as text. */
  trustBundle: z.string(),
});
export type EnrolResponse = z.infer<typeof enrolResponse>;

/** `POST /v1/renew` (mTLS with the agent's current certificate). */
export const renewRequest = z.strictObject({ csr: base64url });
export type RenewRequest = z.infer<typeof renewRequest>;

/** `POST /v1/svids` (mTLS): one PKCS#10 request a workload; all or nothing. */
export const svidsRequest = z.strictObject({
  requests: z
    .array(z.strictObject({ identity: z.string(), csr: base64url }))
    .min(1)
    .max(1000),
});
export type SvidsRequest = z.infer<typeof svidsRequest>;
export const svidsResponse = z.strictObject({ certificates: z.array(issuedCertificate) });
export type SvidsResponse = z.infer<typeof svidsResponse>;

/** `POST /v1/jwt-svids` (mTLS): JWT-SVIDs of workloads that the node runs, one a request; all or nothing. */
export const jwtSvidsRequest = z.strictObject({
  requests: z
    .array(z.strictObject({ identity: z.string(), audience: z.array(z.string().min(1).max(1024)).min(1).max(32) }))
    .min(1)
    .max(1000),
});
export type JwtSvidsRequest = z.infer<typeof jwtSvidsRequest>;

/** A JWT-SVID in compact form, with the instants of its `iat` and `exp`. */
export const issuedToken = z.strictObject({
  identity: z.string(),
  token: z.string(),
  issuedAt: instant,
  expiresAt: instant,
});
export type IssuedToken = z.infer<typeof issuedToken>;
/** In the order of the requests. */
export const jwtSvidsResponse = z.strictObject({ tokens: z.array(issuedToken) });
export type JwtSvidsResponse = z.infer<typeof jwtSvidsResponse>;

/** `GET /v1/node/workloads` (mTLS): what this agent may serve, and what it must know to serve it. */
export const nodeWorkloads = z.strictObject({
  node: z.string(),
  workloads: z.array(
    z.strictObject({
      identity: z.string(),
      namespace: z.string(),
      name: z.string(),
      /** uid that may open the workload's sockets; absent means the agent's own. */
      uid: z.int().nonnegative().optional(),
      sharedUid: z.boolean(),
      /** Ports of tcp listeners whose app speaks first: their callers are authorized in the TLS handshake. */
      serverFirstPorts: z.array(z.int()),
      /** Where its sidecar takes callers of the mesh by HTTP: a handshake can be tried there. */
      handshakes: z.array(z.strictObject({ host: z.string(), port: z.int() })).optional(),
    }),
  ),
  /** Where the agent finds the trust bundle of the authority that issues the workloads' certificates, where that is another one. */
  externalBundle: z
    .union([
      z.strictObject({ file: z.string() }),
      z.strictObject({ url: z.string() }),
      z.strictObject({ workloadApi: z.string() }),
    ])
    .optional(),
});
export type NodeWorkloads = z.infer<typeof nodeWorkloads>;

/** `GET /v1/trust-bundles` (mTLS): trust domain -> SPIFFE bundle document as text; the own one is always there. */
export const trustBundles = z.strictObject({
  trustDomain: z.string(),
  bundles: z.record(z.string(), z.string()),
  /** SHA-256 of public keys (SubjectPublicKeyInfo): what they signed is to be replaced now, as one of them may be in other hands. */
  tainted: z.array(sha256Hex).optional(),
  /** Names an authority that is about to sign: agents try a handshake with a certificate of it and report how it went. */
  probe: z.string().optional(),
});
export type TrustBundles = z.infer<typeof trustBundles>;

/**
 * `POST /v1/policies` (admin, or a publisher's OIDC token): the files of one source, replaced at once; or with `approve`
 * the approval of a publish that waits for one.
 */
export const publishRequest = z.strictObject({
  files: z.array(z.strictObject({ path: z.string(), text: z.string() })).default([]),
  dryRun: z.boolean().default(false),
  source: source.default(""),
  commit: commit.optional(),
  /** Id of a pending publish. */
  approve: z.string().optional(),
});
export type PublishRequest = z.input<typeof publishRequest>;

/** `GET /v1/policies` (admin): the files of the set in force, each with the source that published it. */
export const publishedPolicies = z.strictObject({
  epoch: counter,
  revision: counter,
  publisher: z.string(),
  files: z.array(z.strictObject({ path: z.string(), text: z.string(), source: z.string() })),
});
export type PublishedPolicies = z.infer<typeof publishedPolicies>;

const span = z.strictObject({
  file: z.string(),
  line: z.int(),
  column: z.int(),
  endLine: z.int(),
  endColumn: z.int(),
});
export const diagnosticMessage = z.strictObject({
  severity: z.enum(["error", "warning", "info"]),
  code: z.string(),
  span,
  message: z.string(),
  hint: z.string().optional(),
});

const identityOnNodes = z.strictObject({ identity: z.string(), nodes: z.array(z.string()) });

/** What a publish does to the registry: who may enrol, and which nodes obtain which identity. */
export const registryChange = z.strictObject({
  nodes: z.strictObject({
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.strictObject({ node: z.string(), what: z.array(z.enum(["labels", "attest"])) })),
  }),
  identities: z.strictObject({
    added: z.array(identityOnNodes),
    /** With the nodes that could run them. */
    removed: z.array(identityOnNodes),
    reissued: z.array(
      z.strictObject({
        identity: z.string(),
        /** The workload's identity before. */
        was: z.string().optional(),
        /** Nodes that will obtain it. */
        gains: z.array(z.string()),
        /** Nodes that may no longer have it. */
        loses: z.array(z.string()),
      }),
    ),
  }),
});
export type RegistryChange = z.infer<typeof registryChange>;

/** Answer to a publish; `published` is false for a dry run, for an unchanged set and for one that waits for approval. */
export const publishResponse = z.strictObject({
  /** That somebody else must approve it first: `id` names it for 7 days. */
  pending: z.strictObject({ id: z.string(), why: z.string() }).optional(),
  published: z.boolean(),
  epoch: counter,
  revision: counter,
  workloads: z.strictObject({ added: z.array(z.string()), removed: z.array(z.string()), changed: z.array(z.string()) }),
  registry: registryChange.optional(),
  policies: z.int(),
  diagnostics: z.array(diagnosticMessage),
});
export type PublishResponse = z.infer<typeof publishResponse>;

/** `POST /v1/revocations` (admin): exactly one of the three. */
export const revokeRequest = z.strictObject({
  serial: z.string().optional(),
  identity: z.string().optional(),
  node: z.string().optional(),
  reason: z.string().min(1),
});
export type RevokeRequest = z.infer<typeof revokeRequest>;
export const revokeResponse = z.strictObject({ sequence: counter, serials: z.int(), identities: z.array(z.string()) });
export type RevokeResponse = z.infer<typeof revokeResponse>;

/** `POST /v1/join-tokens` (admin). */
export const joinTokenRequest = z.strictObject({ node: z.string() });
export const joinTokenResponse = z.strictObject({ token: z.string(), node: z.string(), expiresAt: instant });
export type JoinTokenResponse = z.infer<typeof joinTokenResponse>;

/** Part of an agent's status report: how far its sidecars are with the own trust domain's bundle. */
export const nodeTrustReport = z.strictObject({
  /** SHA-256 of the bundle document that the agent holds. */
  bundle: sha256Hex,
  /** The agent has just started and cannot yet tell which sidecars there are. */
  settling: z.boolean(),
  /** Sidecars that are connected, or were a moment ago. */
  sidecars: z
    .array(
      z.strictObject({
        /** `<namespace>/<name>` */
        workload: z.string().max(512),
        /** SHA-256 of the bundle document that is in force in all of its validation contexts. */
        confirmed: sha256Hex.optional(),
        /** Serial of the certificate that it has in force. */
        serial: z.string().max(64).optional(),
        /** The authority that the last handshake was tried for, and how it went. */
        probe: z
          .strictObject({ authority: z.string().max(64), outcome: z.enum(["accepted", "refused", "no-listener"]) })
          .optional(),
        /** What keeps it back. */
        problem: z.string().max(1024).optional(),
      }),
    )
    .max(4096),
});
export type NodeTrustReport = z.infer<typeof nodeTrustReport>;

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
  lifetimes: z.record(z.string(), z.int()),
});
export type CaStatus = z.infer<typeof caStatus>;

/** Every error answer of the API. */
export const apiError = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    diagnostics: z.array(diagnosticMessage).optional(),
  }),
});
export type ApiError = z.infer<typeof apiError>;

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

/** An answer that only says that it was done. */
export const acknowledgement = z.strictObject({ ok: z.literal(true) });

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
      }),
    )
    .optional(),
});
export type AuthorityStatus = z.infer<typeof authorityStatus>;

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

/** Reads a message by its schema; throws `ProtocolError` `ERR_PROTOCOL_MESSAGE` with the path of what is wrong. */
export function parseMessage<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const at = issue === undefined || issue.path.length === 0 ? "" : ` at \`${issue.path.join(".")}\``;
  throw new ProtocolError("ERR_PROTOCOL_MESSAGE", `not a valid ${what}${at}: ${issue?.message ?? "unreadable"}`);
}
