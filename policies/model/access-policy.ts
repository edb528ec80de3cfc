import type { SpiffeId, TrustDomain } from "../../spiffe/index.ts";
import type { Matcher } from "./matcher.ts";
import type { WorkloadName } from "./registry.ts";
import type { RequestLine } from "./request-line.ts";
import type { Span } from "./span.ts";

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
