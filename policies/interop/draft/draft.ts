/** Who, as a policy file says it. Keys AND. */
export interface DraftCaller {
  readonly workload?: string;
  readonly labels?: Readonly<Record<string, DraftMatcher>>;
  readonly namespace?: string;
  readonly spiffe?: string;
  readonly trustDomain?: string;
  readonly anyone?: "authenticated" | "anonymous";
  readonly addresses?: readonly string[];
}

/** One test of a value, as a policy file says it. */
export type DraftMatcher =
  | string
  | { readonly in: readonly string[] }
  | { readonly not: string }
  | { readonly notIn: readonly string[] }
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly contains: string }
  | { readonly present: true }
  | { readonly absent: true };

/** One test of a claim, as a policy file says it. */
export type DraftClaim = DraftMatcher | { readonly has: string } | { readonly hasAny: readonly string[] };

/** A condition on a verified token, as a policy file says it. */
export interface DraftJwt {
  readonly provider: string;
  readonly claims?: Readonly<Record<string, DraftClaim>>;
}

/** A token issuer, as the Mesh says it. */
export interface DraftProvider {
  readonly name: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks: { readonly inline: string } | { readonly url: string } | { readonly file: string };
}

/** A rule, as a policy file says it. */
export interface DraftRule {
  readonly name: string;
  readonly from?: readonly DraftCaller[];
  readonly requests?: readonly string[];
  readonly hosts?: readonly string[];
  readonly ports?: readonly number[];
  readonly headers?: Readonly<Record<string, DraftMatcher>>;
  readonly query?: Readonly<Record<string, DraftMatcher>>;
  readonly jwt?: DraftJwt;
  readonly except?: { readonly from?: readonly DraftCaller[]; readonly requests?: readonly string[] };
  readonly reason?: string;
}

/** What a policy protects, as a policy file says it. */
export type DraftProtects =
  | { readonly workload: string }
  | { readonly labels: Readonly<Record<string, DraftMatcher>>; readonly namespaces?: readonly string[] | "*" }
  | { readonly namespaces: readonly string[] | "*" };

/** A policy before it is written. One without rules stands for nothing but protection, which default deny gives anyway. */
export interface DraftPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly protects: DraftProtects;
  readonly allow: readonly DraftRule[];
  readonly deny: readonly DraftRule[];
  /** A candidate stands beside the live policies, or takes the live one of its name away. Absent: live. */
  readonly candidate?: "replace" | "withdraw";
}

/** The namespace whose policies may protect workloads of others. */
export const MESH_NAMESPACE = "mesh";
