import type { SourcePlace } from "../report.ts";
import type { Target } from "./targets.ts";

/** A list of values of one field; `negated` is the field's `not` form. */
export interface Field {
  readonly values: readonly string[];
  readonly negated: boolean;
  readonly place: SourcePlace;
}

/** One test of who calls. */
export interface IdentityTest extends Field {
  readonly kind: "principal" | "namespace" | "serviceAccount" | "trustDomain";
}

/** What a header must be like. */
export interface HeaderTest extends Field {
  readonly name: string;
}

/** A test of the request's verified token: its principal where `claim` is absent, else the claim of that path. */
export interface TokenTest extends Field {
  readonly claim?: readonly string[];
}

/** A condition that the policy language has no word for. */
export interface ForeignTest extends Field {
  readonly key: string;
}

/** One conjunction: a source, an operation and all conditions of a rule. */
export interface Clause {
  readonly identities: readonly IdentityTest[];
  readonly addresses: readonly Field[];
  readonly hosts: readonly Field[];
  readonly ports: readonly Field[];
  readonly methods: readonly Field[];
  readonly paths: readonly Field[];
  readonly headers: readonly HeaderTest[];
  readonly tokens: readonly TokenTest[];
  readonly foreign: readonly ForeignTest[];
}

/** One rule, its `from` and `to` multiplied out. */
export interface IstioRule {
  readonly place: SourcePlace;
  readonly clauses: readonly Clause[];
}

/** One AuthorizationPolicy that the source would accept. */
export interface IstioPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly place: SourcePlace;
  readonly action: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
  readonly dryRun: boolean;
  /** Absent: every workload of the namespace, or of the mesh in the root namespace. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** What it is attached to instead of a selector. */
  readonly targets: readonly Target[] | undefined;
  readonly rules: readonly IstioRule[];
}
