import type { SpiffeId, TrustDomain } from "../../spiffe/index.ts";

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
