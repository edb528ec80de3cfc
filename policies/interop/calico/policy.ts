import type { SourcePlace } from "../report.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Selector } from "./selector.ts";

/** One side of a rule, what it says of workloads worked into one test. */
export interface Side {
  /** Absent: the side says nothing of workloads. */
  readonly matches: ((endpoint: Endpoint) => boolean) | undefined;
  readonly nets: readonly string[] | undefined;
  readonly notNets: readonly string[];
  readonly ports: readonly PortSpan[] | undefined;
  readonly notPorts: readonly PortSpan[];
  /** What it asks for that nothing is known of here, in the source's words. */
  readonly untold: readonly string[];
}

/** Ports from and to, both included; or the name of one. */
export type PortSpan = readonly [number, number] | string;

/** One rule, of ingress or egress. */
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
  /** Whether its policy selects by labels of service accounts, which are not known. */
  readonly ofUnknown: boolean;
}

/** One policy that is in force. */
export interface CalicoPolicy {
  readonly construct: string;
  readonly place: SourcePlace;
  /** Absent: of all namespaces. */
  readonly namespace: string | undefined;
  readonly namespaceSelector: Selector;
  readonly selector: Selector;
  readonly tier: string;
  readonly order: number;
  readonly name: string;
  /** Absent: the policy is not about the direction. */
  readonly ingress: readonly CalicoRule[] | undefined;
  readonly egress: readonly CalicoRule[] | undefined;
}

/** A tier, in order. */
export interface CalicoTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction: "deny" | "pass";
}
