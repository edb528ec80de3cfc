import type { ImportReport } from "./report.ts";

/** A source file as it was read. `path` names it in the report. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** A workload that the import may resolve selectors, identities and ports against. */
export interface ImportWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** SPIFFE ID; `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` if left out. */
  readonly identity?: string;
  /** `name` if left out. */
  readonly serviceAccount?: string;
  /** Listener ports; unknown if left out. */
  readonly ports?: readonly number[];
  /** Container port names, where the source speaks of them. */
  readonly namedPorts?: Readonly<Record<string, number>>;
  /** Whether a listener upgrades to WebSocket; lines for upgrades are written only where one does. */
  readonly websocket?: boolean;
}

/** A token issuer of the Mesh. */
export interface ImportJwtProvider {
  readonly name: string;
  /** The exact `iss`. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks: { readonly inline: string } | { readonly url: string } | { readonly file: string };
}

/** What an import knows beside the texts. */
export interface ImportOptions {
  /** The own trust domain; `cluster.local` if left out. */
  readonly trustDomain?: string;
  /** Further names of the own trust domain in the source; they become federated trust domains. */
  readonly trustDomainAliases?: readonly string[];
  /** Foreign trust domains that callers may come from. */
  readonly federation?: readonly string[];
  /** Namespace whose policies hold everywhere (Istio); `istio-system` if left out. */
  readonly rootNamespace?: string;
  /** The registry. Workload documents are written for these, unless `registry` says they exist. */
  readonly workloads?: readonly ImportWorkload[];
  /** Labels of namespaces, by name. */
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Identities of foreign callers that are known, so that patterns can be told out: SPIFFE IDs. */
  readonly foreignIdentities?: readonly string[];
  /** Numbers of named ports, where the workloads do not say them. */
  readonly portNames?: Readonly<Record<string, number>>;
  /** Host names that requests may name, so that patterns of hosts can be told out. */
  readonly hosts?: readonly string[];
  /** Token issuers that the Mesh has; written into it where `registry` says to write one. */
  readonly jwtProviders?: readonly ImportJwtProvider[];
  /** Audiences of tokens, where the source takes tokens of any. */
  readonly audiences?: readonly string[];
  /** gRPC services, `package.Service`, that a line for every path is to include. */
  readonly grpcServices?: readonly string[];
  /**
   * `emit` (default): a Mesh and the Workloads are written into `documents`; `exists`: they are somewhere already.
   */
  readonly registry?: "emit" | "exists";
  /** Namespace for sources that know none; `default` if left out. */
  readonly namespace?: string;
  /** `namespace/name` of the workload that an interface description is of, where the source names none. */
  readonly callee?: string;
  /** Who may use a described interface: `namespace/name` of workloads, or SPIFFE IDs. Every registered identity if left out. */
  readonly callers?: readonly string[];
  /** What the source does with requests that no rule speaks of, where it has such a setting. */
  readonly defaultAction?: "allow" | "deny";
}

/** An import: YAML that `parseDocuments` takes, and what became of every construct. */
export interface ImportResult {
  readonly documents: string;
  readonly report: ImportReport;
}

/** Reads one format. Pure; throws `InteropError` only for texts that are not of the format at all. */
export type Importer = (texts: readonly SourceText[], options: ImportOptions) => ImportResult;
