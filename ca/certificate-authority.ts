import type { X509Certificate } from "node:crypto";
import type { PolicySet } from "../policies/index.ts";
import type {
  AuthorityStatus,
  BundleManifest,
  CaStatus,
  EnrolRequest,
  EnrolResponse,
  IssuedCertificate,
  JoinTokenResponse,
  JwtSvidsRequest,
  JwtSvidsResponse,
  LedgerEntries,
  NodeTrustReport,
  NodeWorkloads,
  RenewRequest,
  RevocationsDocument,
  RevokeRequest,
  RevokeResponse,
  RotateOrder,
  SignedEnvelope,
  SvidsRequest,
  SvidsResponse,
} from "../protocol/index.ts";
import type { SpiffeId, TrustBundle, TrustDomain, X509Svid } from "../spiffe/index.ts";
import type { Brought } from "./bring.ts";
import type { CaCounters } from "./counters.ts";
import type { AttestedNode, SystemSvidOptions } from "./issuing.ts";
import type { LedgerCheck, LedgerQuery } from "./ledger.ts";
import type { Provenance, PublishOutcome } from "./policy-bundles.ts";
import type { EnrolmentRefusal } from "./refusal.ts";
import type { RevocationList } from "./revocation-lists.ts";
import type { TrustNotice } from "./rotation.ts";

/**
 * What a subscriber is told has changed; `trust-bundle` also where only `trustNotice` has, `signing` where another authority
 * signs from now on.
 */
export type CaChange = "bundle" | "revocations" | "registry" | "trust-bundle" | "signing";

/** The certificate authority of one trust domain. Requests are worked off one after another. */
export interface CertificateAuthority {
  readonly trustDomain: TrustDomain;
  trustBundle(): TrustBundle;
  /** SHA-256 over the root's SubjectPublicKeyInfo, lower-case hex: what join tokens carry. */
  rootFingerprint(): string;

  /**
   * Takes nodes and workloads of a set. `localNode` exists even if no document names it and may run every workload
   * without `runsOn`.
   */
  setRegistry(set: PolicySet, options?: { readonly localNode?: string }): void;
  /** What a node's agent may serve; nothing for a node that is unknown or revoked. */
  workloadsOf(node: string): NodeWorkloads;

  /** A token for one node: 15 minutes, single use. `ERR_CA_UNKNOWN_NODE`, `ERR_CA_REVOKED`. */
  createJoinToken(node: string): Promise<JoinTokenResponse>;
  /**
   * An agent's first certificate. `ERR_CA_JOIN_TOKEN`, `ERR_CA_JOIN_TOKEN_EXPIRED`, `ERR_CA_JOIN_TOKEN_USED`,
   * `ERR_CA_UNKNOWN_NODE`, `ERR_CA_REVOKED`, `ERR_CA_CSR`.
   */
  enrol(request: EnrolRequest): Promise<EnrolResponse>;
  /**
   * An agent's first certificate, on the word of the caller who has verified the node's proof. `ERR_CA_UNKNOWN_NODE`,
   * `ERR_CA_REVOKED`, `ERR_CA_CSR`.
   */
  enrolAttested(attested: AttestedNode): Promise<EnrolResponse>;
  /** Writes into the ledger that the caller has refused an enrolment. */
  recordRefusal(refusal: EnrolmentRefusal): Promise<void>;
  /**
   * An agent's next certificate. `serial` is that of the certificate it presented; without it the newest one issued to
   * the node counts. `ERR_CA_UNKNOWN_NODE`, `ERR_CA_NOT_ENROLLED`, `ERR_CA_REVOKED`, `ERR_CA_CSR`.
   */
  renewAgent(node: string, request: RenewRequest, serial?: string): Promise<EnrolResponse>;
  /**
   * X.509-SVIDs of workloads, all or nothing, in the order asked for. Codes of `renewAgent`, `ERR_CA_UNREGISTERED` and
   * `ERR_CA_NOT_ON_NODE`; every refusal is in the ledger.
   */
  issueSvids(node: string, request: SvidsRequest, serial?: string): Promise<SvidsResponse>;
  /**
   * JWT-SVIDs of workloads, one a request, all or nothing, in the order asked for: ES256, `jti` as the ledger's serial, at most
   * `jwtSvidSeconds` long. Codes of `issueSvids` but `ERR_CA_CSR`, and `ERR_CA_JWT_REQUEST`.
   */
  issueJwtSvids(node: string, request: JwtSvidsRequest, serial?: string): Promise<JwtSvidsResponse>;
  /** The authority's own TLS certificate, with a new key that stays in memory. `ERR_CA_PROFILE`. */
  issueSystemSvid(id: SpiffeId, options?: SystemSvidOptions): Promise<X509Svid>;

  /** Signs and keeps a set's bundle unless its content is in force already. `ERR_CA_POLICY_SET`. */
  publishBundle(set: PolicySet, publisher: string, provenance?: Provenance): Promise<PublishOutcome>;
  bundle(): { readonly envelope: SignedEnvelope; readonly manifest: BundleManifest } | undefined;
  /** Bytes of a shard of the bundle in force or the one before it. */
  shard(sha256: string): Uint8Array | undefined;

  /** For good. `ERR_CA_REVOKE_REQUEST`, `ERR_CA_UNKNOWN_SERIAL`, `ERR_CA_NOT_REVOCABLE`. */
  revoke(request: RevokeRequest, actor: string): Promise<RevokeResponse>;
  revocations(): { readonly envelope: SignedEnvelope; readonly document: RevocationsDocument };

  /** Newest first. */
  ledger(query?: LedgerQuery): Promise<LedgerEntries>;
  /** Walks the ledger's hash chain, and on to the last entry that this process has seen. */
  verifyLedger(): Promise<LedgerCheck>;
  authorities(): AuthorityStatus["authorities"];
  counters(): CaCounters;

  /**
   * Begins to replace a signing authority: it is prepared and told to all agents, and comes into use once every live sidecar
   * has confirmed it. `ERR_CA_ROTATION`, `ERR_CA_OFFLINE`.
   */
  rotate(request: RotateOrder): Promise<CaStatus>;
  /** A request for an intermediate, as PEM; its key waits here for `bring`. */
  request(): Promise<string>;
  /** Takes a root and an intermediate, or an intermediate alone, that were made elsewhere; goes on as `rotate`. `ERR_CA_IMPORT`. */
  bring(brought: Brought): Promise<CaStatus>;
  /** What an agent says of its sidecars; a replacement that waits for them goes on. */
  reportTrust(node: string, report: NodeTrustReport): void;
  /** A certificate to try a handshake with, of the authority that is about to sign. Codes of `renewAgent`, `ERR_CA_ROTATION`. */
  issueProbe(node: string, request: RenewRequest, serial?: string): Promise<IssuedCertificate>;
  /** What agents are told beside the trust bundle. */
  trustNotice(): TrustNotice;
  /** Lists of revoked certificates (CRLs) of every authority, for verifiers; none where nobody asked for them. */
  revocationLists(): readonly RevocationList[];
  /** The newest certificates of the root, signed by the one before it, for those who do not know it yet. */
  crossCertificates(): readonly X509Certificate[];
  /** What expires when, who holds what, who has not confirmed what. */
  status(): Promise<CaStatus>;

  /** Renews what is due now: intermediate, policy signer, bundle, revocations. It does so by itself as well. */
  renewDue(): Promise<void>;
  /** Returns how to unsubscribe. */
  subscribe(listener: (what: CaChange) => void): () => void;
  /** Ends the work in hand and the renewals; the store stays open. */
  close(): Promise<void>;
}
