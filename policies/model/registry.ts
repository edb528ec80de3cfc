import type { SpiffeId } from "../../spiffe/index.ts";
import type { Matcher } from "./matcher.ts";
import type { Mode, OidcProof } from "./mesh.ts";
import type { Span } from "./span.ts";

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
