import type { SourcePlace } from "../report.ts";
import type { Selector } from "./selector.ts";

/** One side of a rule, what it says of workloads worked into one test. */
export interface Side {
  /** Absent: the side says nothing of workloads. */
  readonly matches:
    | ((workload: {
        readonly namespace: string;
        readonly serviceAccount: string;
        readonly labels: Readonly<Record<string, string>>;
      }) => boolean)
    | undefined;
  readonly nets: readonly string[] | undefined;
  readonly notNets: readonly string[];
  readonly ports: readonly PortSpan[] | undefined;
  readonly notPorts: readonly PortSpan[];
}

/** Ports from and to, both included. */
export type PortSpan = readonly [number, number];

/** One ingress rule. */
export interface CalicoRule {
  readonly place: SourcePlace;
  readonly action: "allow" | "deny" | "log" | "pass";
  /** Whether the rule speaks of TCP, which is all that a sidecar carries. */
  readonly tcp: boolean;
  readonly source: Side;
  readonly destination: Side;
  /** Absent: no `http` block. */
  readonly methods: readonly string[] | undefined;
  /** Patterns; absent: any path. */
  readonly paths: readonly string[] | undefined;
}

/** One policy that is in force. */
export interface CalicoPolicy {
  readonly construct: string;
  readonly place: SourcePlace;
  /** Absent: of all namespaces. */
  readonly namespace: string | undefined;
  readonly namespaceSelector: Selector;
  readonly selector: Selector;
  readonly serviceAccountSelector: boolean;
  readonly tier: string;
  readonly order: number;
  readonly name: string;
  readonly ingress: readonly CalicoRule[] | undefined;
}

/** A tier, in order. */
export interface CalicoTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: "deny" | "pass";
}
