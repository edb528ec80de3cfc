import { z } from "zod";
import { base64url, counter, instant, sha256Hex } from "./values.ts";

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
  /** Lists of revoked certificates (CRLs, base64url DER) that cover every chain of the own trust domain, each with its end. */
  revocationLists: z.array(z.strictObject({ der: base64url, until: instant })).optional(),
  /** Names an authority that is about to sign: agents try a handshake with a certificate of it and report how it went. */
  probe: z.string().optional(),
});
export type TrustBundles = z.infer<typeof trustBundles>;

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

/** Part of an agent's status report: what callers have open at its sidecars. */
export const openStreams = z
  .array(
    z.strictObject({
      /** `<namespace>/<name>` of the workload that was called. */
      workload: z.string().max(512),
      caller: z.string().max(2048),
      /** HTTP requests that have lasted five seconds. */
      streams: counter,
      /** TCP connections. */
      connections: counter,
      /** When the last of them ends at the latest. */
      until: instant,
    }),
  )
  .max(4096);
export type OpenStreamsReport = z.infer<typeof openStreams>;
