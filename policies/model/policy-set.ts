import type { SpiffeId, TrustDomain } from "../../spiffe/index.ts";
import type { Matcher } from "./matcher.ts";
import type { RequestLine } from "./request-line.ts";
import type { Diagnostic, Span } from "./span.ts";

export type Mode = "enforce" | "monitor";

/** The mesh's settings, from the one `Mesh` document. */
export interface Mesh {
  readonly trustDomain: TrustDomain;
  readonly defaultMode: Mode;
  /** Label keys whose values caller and callee must share, unless a rule says `across`. */
  readonly isolate: readonly string[];
  /** What identities of our own trust domain that no Workload names get; `deny` is the only value of version 1. */
  readonly unregistered: "deny";
  /** Federated trust domains, the own one excluded. */
  readonly federated: readonly TrustDomain[];
  readonly jwtProviders: ReadonlyMap<string, JwtProvider>;
  /** Another authority that issues the workloads' certificates; absent: Cellwall's own does. Read by the authority and by `render`, in no shard. */
  readonly identity?: ExternalIdentity;
  /** Where the bundles of federated trust domains come from; read by the authority alone and in no shard. */
  readonly federation?: readonly Federation[];
  /** Where the own trust bundle is served; read by the authority alone and in no shard. */
  readonly bundleEndpoint?: BundleEndpoint;
  /** Whose tokens JWT-SVIDs are to OIDC verifiers; read by the authority alone and in no shard. */
  readonly oidcDiscovery?: OidcDiscovery;
  /** Publishes that somebody else than the publisher must approve; read by the authority alone and in no shard. */
  readonly approvals?: { readonly changes: "broader" | "all"; readonly approvers: readonly OidcProof[] };
}

/** Where the certificates and the trust bundle of another authority (SPIRE, Istio) are. */
export interface ExternalIdentity {
  readonly bundle: BundleLocation;
  /** Where generated sidecars find their own certificate: the secret `default` at `unix:/path`. */
  readonly certificates?: { readonly sds: string };
}

/** A trust bundle beside each agent, or at a URL; `workloadApi` is `unix:/path`. */
export type BundleLocation = { readonly file: string } | { readonly url: string } | { readonly workloadApi: string };

/** A foreign trust domain, and how its bundle is obtained (SPIFFE Federation, section 5). */
export interface Federation {
  readonly trustDomain: TrustDomain;
  /** Absent: the bundle below is all there is. */
  readonly endpoint?:
    | { readonly profile: "https_web"; readonly url: string }
    | { readonly profile: "https_spiffe"; readonly url: string; readonly spiffeId: SpiffeId };
  /** SPIFFE bundle document to begin with: its text, or a file on the authority's host. */
  readonly bundle?: { readonly inline: string } | { readonly file: string };
}

/** Where to listen; port 1 to 65535. */
export interface ListenOn {
  readonly host: string;
  readonly port: number;
}

/** The SPIFFE bundle endpoint of the own trust domain. */
export type BundleEndpoint =
  | { readonly profile: "https_spiffe"; readonly listen: ListenOn }
  /** `certificate`: folder with `tls.crt` and `tls.key`. */
  | { readonly profile: "https_web"; readonly listen: ListenOn; readonly certificate: string };

/** OpenID Connect discovery for JWT-SVIDs. */
export interface OidcDiscovery {
  /** Exact `iss` of JWT-SVIDs. */
  readonly issuer: string;
  /** Absent: somebody else serves the documents. `certificate`: folder with `tls.crt` and `tls.key`. */
  readonly serve?: { readonly listen: ListenOn; readonly certificate: string };
}

/** An OIDC token that proves somebody: exact issuer and audience, claims with exactly these values. */
export interface OidcProof {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: ReadonlyMap<string, string>;
  /** The issuer's keys; absent means OpenID Connect discovery. `file` lies on the authority's host. */
  readonly jwks?: { readonly inline: string } | { readonly url: string } | { readonly file: string };
}

/** A token issuer that the sidecar's `jwt_authn` verifies. */
export interface JwtProvider {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks: { readonly inline: string } | { readonly file: string } | { readonly url: string };
}

/** Path reading of one workload. */
export interface PathOptions {
  readonly caseInsensitive: boolean;
  readonly matrixParameters: "reject" | "ignore";
}

/** One listener of a generated sidecar. */
export interface Listen {
  readonly port: number;
  /** `unix:/path` or `host:port`. */
  readonly app: string;
  readonly protocol: "http" | "tcp";
  /** What an http app speaks on its own side; `http2` is with prior knowledge. Absent means `http1`, but `http2` for gRPC requests. */
  readonly appProtocol?: "http1" | "http2";
  readonly upgrades: readonly "websocket"[];
  /** For tcp: who sends the first bytes. */
  readonly speaksFirst: "client" | "server";
  readonly clients: "mesh" | "public";
  /** Folder with `tls.crt` and `tls.key`, for `clients: public`; absent means plaintext behind a balancer. */
  readonly serverCertificate?: string;
  readonly span: Span;
}

/** One declared call of a generated sidecar. */
export interface Call {
  readonly workload: WorkloadName;
  readonly port: number;
  /** `unix:/path` or `host:port`. */
  readonly local: string;
  readonly span: Span;
}

/** A declared call of a generated sidecar to a workload of a federated trust domain. */
export interface ForeignCall {
  readonly identity: SpiffeId;
  /** A host name or IP address. */
  readonly address: string;
  readonly port: number;
  /** `unix:/path` or `host:port`. */
  readonly local: string;
  readonly protocol: "http" | "tcp";
  readonly span: Span;
}

/** The generated sidecar of a workload. */
export interface Sidecar {
  /** Where peers reach it: a host name or IP address. */
  readonly address: string;
  readonly listens: readonly Listen[];
  readonly calls: readonly Call[];
  readonly foreignCalls?: readonly ForeignCall[];
  readonly probes?: { readonly port: number; readonly paths: readonly string[] };
  /** Header names that are kept although the floor removes them (lower case). */
  readonly keepOverrideHeaders: readonly string[];
  /** Header names that go to `Check` although they are withheld by default (lower case), e.g. `cookie`. */
  readonly checkHeaders: readonly string[];
}

export interface WorkloadName {
  readonly namespace: string;
  readonly name: string;
}

/** How a process proves to be this workload. */
export type WorkloadAttestation =
  | { readonly kind: "socket"; readonly uid: number; readonly sharedUid: boolean }
  | { readonly kind: "kubernetes"; readonly namespace: string; readonly serviceAccount: string };

/** A registered workload: identity, labels, place, sidecar. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly identity: SpiffeId;
  /** Its own `mode`, else the mesh's default. */
  readonly mode: Mode;
  readonly runsOn?: { readonly labels: ReadonlyMap<string, Matcher> } | { readonly node: string };
  readonly attest: readonly WorkloadAttestation[];
  readonly sidecar?: Sidecar;
  readonly paths: PathOptions;
  readonly span: Span;
}

/** One way for a host to prove that it is this node. */
export type NodeAttestation =
  | { readonly kind: "joinToken" }
  | { readonly kind: "oidc"; readonly proof: OidcProof }
  | { readonly kind: "kubernetes"; readonly account: KubernetesAccount };

/** A Kubernetes service account whose bound tokens prove something. */
export interface KubernetesAccount {
  /** Exact `iss` of the cluster's tokens. */
  readonly issuer: string;
  readonly audience: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Name of the Kubernetes node that the token's pod must run on. */
  readonly node?: string;
  /** The cluster's keys; absent means OpenID Connect discovery. */
  readonly jwks?: { readonly inline: string } | { readonly url: string } | { readonly file: string };
}

/** A host that may enrol. */
export interface Node {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly attest: readonly NodeAttestation[];
  readonly span: Span;
}

/** One entry of `from`: the keys that are there must all hold. */
export interface CallerSelector {
  readonly workload?: WorkloadName;
  readonly labels?: ReadonlyMap<string, Matcher>;
  /** Namespace that `labels` looks in; `"*"` is any. Always set where `labels` is. */
  readonly namespace?: string | "*";
  readonly spiffe?: { readonly id: SpiffeId; readonly descendants: boolean };
  readonly trustDomain?: TrustDomain;
  readonly anyone?: "authenticated" | "anonymous";
  readonly addresses?: readonly Cidr[];
  readonly span: Span;
}

/** An address block, IPv4-mapped IPv6 already normalised to IPv4. `bytes` holds 4 or 16 bytes. */
export interface Cidr {
  readonly text: string;
  readonly bytes: readonly number[];
  readonly prefixLength: number;
}

/** A condition on a verified token. */
export interface JwtCondition {
  readonly provider: string;
  readonly scopes: readonly string[];
  /** Dotted names reach into nested claims. */
  readonly claims: ReadonlyMap<string, Matcher>;
}

/** One rule of a policy. In a deny, absent `from` means everyone and absent `requests` means every request and connection. */
export interface Rule {
  readonly effect: "allow" | "deny";
  readonly name: string;
  readonly from?: readonly CallerSelector[];
  readonly requests?: readonly RequestLine[];
  readonly hosts?: readonly string[];
  readonly ports?: readonly number[];
  readonly headers: ReadonlyMap<string, Matcher>;
  readonly query: ReadonlyMap<string, Matcher>;
  readonly jwt?: JwtCondition;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly except?: { readonly from?: readonly CallerSelector[]; readonly requests?: readonly RequestLine[] };
  readonly across: readonly string[];
  readonly always: boolean;
  readonly reason?: string;
  /** ISO date, `YYYY-MM-DD`. */
  readonly review?: string;
  readonly span: Span;
}

/** What a policy protects, within its own namespace unless it is of namespace `mesh`. */
export interface Protects {
  readonly workload?: WorkloadName;
  readonly labels?: ReadonlyMap<string, Matcher>;
  readonly namespaces: readonly string[] | "*";
}

/** One resolved AccessPolicy. */
export interface AccessPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly stage: "live" | "candidate";
  /** Only of a candidate. */
  readonly action: "replace" | "withdraw";
  readonly owner?: string;
  readonly protects: Protects;
  /** Identities of the registered workloads that `protects` selects, sorted. */
  readonly destinations: readonly string[];
  /**
   * Only in a set read from shards: identities of the registered callers whose labels `from` entries of this policy can
   * match. No entry with `labels` matches anybody else, since this set may lack the values it asks for. Sorted.
   */
  readonly labelled?: readonly string[];
  readonly allow: readonly Rule[];
  readonly deny: readonly Rule[];
  readonly span: Span;
}

/**
 * A caller that is registered but that no rule of this set can tell from another: shards carry only a hash of it,
 * so that no host holds the whole registry. Key: lower-case hex of the first 16 bytes of SHA-256 over the identity's text.
 */
export interface UnnamedCaller {
  readonly hash: string;
  /** Its values of the `isolate` labels. */
  readonly isolate: ReadonlyMap<string, string>;
}

/** A resolved set: what `resolve` returns, what shards carry, what `compile` and `referenceDecide` read. Frozen. */
export interface PolicySet {
  readonly mesh: Mesh;
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  /** Empty but in a set read from shards. */
  readonly unnamedCallers: readonly UnnamedCaller[];
  /** Identities whose destinations this set can decide about; a set from shards decides about these only. */
  readonly destinations: readonly string[];
  /** Live and candidate policies. */
  readonly policies: readonly AccessPolicy[];
  /** All findings of parsing and resolving. A set with an `error` in here cannot be compiled. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Revocations as a decision reads them. */
export interface Revocations {
  readonly sequence: number;
  /** Lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>;
  /** Identity texts; every caller of one is refused, whatever its certificate. */
  readonly identities: ReadonlySet<string>;
}
