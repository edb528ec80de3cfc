import type { WitnessRequest } from "../findings/finding.ts";

/**
 * How a construct of the source came out: `exact` decides every request as the source does; `narrower` denies more;
 * `wider` allows more, and carries a request that shows it; `unsupported` is left out, which denies more.
 */
export type Fidelity = "exact" | "narrower" | "wider" | "unsupported";

/** Where a construct stands. `path` says which one inside the document, e.g. `foo/p spec.rules[0].to[1]`. */
export interface SourcePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly path?: string;
}

/**
 * Requests that an entry's fidelity is about, where it is not about all of them; of all others the construct is exact.
 * `grpc`: gRPC calls. `upgrade`: WebSocket and other upgrades. `connection`: plain TCP. `http`: everything but that.
 * `list-header`: a header that is repeated, holds a comma, or bytes outside visible ASCII. `host-with-port`: the host names a port.
 * `head`: HEAD requests. `trailing-slash`: the path ends in a slash, or lacks the one that the source has. `unregistered`: callers
 * that are not in the registry the import was given. `foreign`: callers of another trust domain. `anonymous`: callers without identity.
 * `egress`: what the caller's side forbids. `datagram`: UDP and the like, which no sidecar carries. `malformed-identity`: callers whose
 * principal is no SPIFFE ID. `host`, `method`: requests of a host or method like `subject`. `escaped-path`: paths that hold a percent sign.
 * `long-number`: a number of 20 digits or more in the path. `long-value`: a header or parameter in which a regular expression repeats
 * more often than values are listed. `list-query`: a query parameter that is repeated. `query`: a request with a query. `list-claim`: a token's claim that is a list.
 * `odd-claim`: a claim that is empty, a number, a boolean or a list of other than texts, or whose name holds dots. `endless-token`: a
 * token without `exp`. `token`: requests that carry a token. `invalid-token`: a request whose token fails to verify. `other-audience`: a token for an audience that the
 * source does not name. `token-in-query`: a token in the query. `candidate`: what would be decided, not what is.
 * `around-waypoint`: requests that reach a workload without the proxy that the source asks.
 */
export type RequestScope =
  | "grpc"
  | "upgrade"
  | "connection"
  | "http"
  | "list-header"
  | "host-with-port"
  | "head"
  | "trailing-slash"
  | "unregistered"
  | "foreign"
  | "egress"
  | "anonymous"
  | "datagram"
  | "long-number"
  | "long-value"
  | "list-query"
  | "query"
  | "list-claim"
  | "odd-claim"
  | "token"
  | "endless-token"
  | "invalid-token"
  | "other-audience"
  | "token-in-query"
  | "candidate"
  | "around-waypoint"
  | "malformed-identity"
  | "host"
  | "method"
  | "escaped-path";

/** What became of one construct of the source. */
export interface ReportEntry {
  /** The construct in the source's words, e.g. `AuthorizationPolicy foo/p: notPaths`. */
  readonly construct: string;
  readonly place: SourcePlace;
  readonly fidelity: Fidelity;
  readonly scope?: RequestScope;
  /** What of the request the scope is about, where it is one thing in the source's spelling: a principal, a host, a method. */
  readonly subject?: string;
  /** One sentence, lower case. */
  readonly reason: string;
  /** Only of `wider`, and always there: a request that is allowed although the source denies it. */
  readonly counterExample?: WitnessRequest;
}

/** How many entries came out how. */
export interface ReportSummary {
  readonly exact: number;
  readonly narrower: number;
  readonly wider: number;
  readonly unsupported: number;
}

/** What an import says about itself; machine-readable. */
export interface ImportReport {
  readonly entries: readonly ReportEntry[];
  readonly summary: ReportSummary;
}

/** A report of entries, in the order they were found. */
export function reportOf(entries: readonly ReportEntry[]): ImportReport {
  const count = (fidelity: Fidelity): number => entries.filter((entry) => entry.fidelity === fidelity).length;
  return {
    entries,
    summary: {
      exact: count("exact"),
      narrower: count("narrower"),
      wider: count("wider"),
      unsupported: count("unsupported"),
    },
  };
}
