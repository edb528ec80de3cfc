import type { SidecarSecretsStatus } from "./sidecar-secrets.ts";
import type { SocketPaths } from "./socket-paths.ts";

/** A refusal as it is shown; instants are ISO 8601. */
export interface RefusalStatus {
  readonly reason: string;
  readonly detail: string;
  readonly at: string;
}

/** What the agent says of itself, as JSON under `/status`. Instants are ISO 8601, UTC. */
export interface AgentStatus {
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly waitingFor: readonly string[];
  readonly node?: string;
  readonly trustDomain?: string;
  readonly enrolment: {
    readonly state: "joining" | "enrolled" | "expired" | "refused";
    readonly certificateNotAfter?: string;
    readonly problem?: string;
  };
  readonly authority: {
    readonly url: string;
    readonly reachable: boolean;
    readonly lastContact?: string;
    readonly problem?: string;
  };
  readonly policy: {
    /** `expired` still decides, for at most `maxStaleSeconds`; `none` and `stale` deny everything. */
    readonly state: "none" | "current" | "expired" | "stale";
    readonly maxStaleSeconds: number;
    readonly epoch: number;
    readonly revision: number;
    readonly issuedAt?: string;
    readonly expiresAt?: string;
    /** `disk`: not confirmed by the authority since the agent started. */
    readonly source?: "authority" | "disk";
    /** The newest bundle that was offered, where it is not used; the one in force stays. */
    readonly refused?: RefusalStatus;
  };
  readonly revocations: {
    readonly sequence: number;
    readonly serials: number;
    readonly identities: number;
    readonly refused?: RefusalStatus;
  };
  /** This agent's own node is revoked: it gets no certificates any more. */
  readonly nodeRevoked: boolean;
  readonly workloads: readonly WorkloadStatus[];
  /** Only where another authority issues the workloads' certificates. */
  readonly externalTrust?: ExternalTrustStatus;
  /** Only where the agent serves checks over the network. */
  readonly listen?: NetworkStatus;
  readonly clock: { readonly now: string; readonly wallBehindSeconds: number };
  readonly decisionLog: { readonly dropped: number };
  readonly metricsUrl?: string;
}

/** The trust bundle of SPIRE, Istio or another authority. */
export interface ExternalTrustStatus {
  /** `file …`, `url …` or `workload api …` */
  readonly source: string;
  /** Certificates in it; 0 where there was none yet, and then sidecars get no trust from the agent. */
  readonly authorities: number;
  /** When it was first seen as it is, since the agent's start. */
  readonly updatedAt?: string;
  /** When it was last read and found good, since the agent's start: older than that nobody knows how things stand. */
  readonly readAt?: string;
  /** Why the newest could not be had or read, while the last good one stays. */
  readonly problem?: string;
}

/** Checks over the network. */
export interface NetworkStatus {
  /** `tcp://host:port` */
  readonly address: string;
  /** What the agent shows there; absent while it has no valid certificate, and then nobody is served. */
  readonly identity?: string;
  readonly notAfter?: string;
  /** Open connections of sidecars. */
  readonly connections: number;
  /** Refused connections by reason, since the start. */
  readonly refused: Readonly<Record<string, number>>;
}

/** One workload that the authority lets this node run. */
export interface WorkloadStatus {
  /** `<namespace>/<name>` */
  readonly workload: string;
  readonly identity: string;
  readonly uid?: number;
  readonly isolation: "none" | "uid";
  readonly state: "serving" | "refused" | "opening";
  readonly refused?: RefusalStatus;
  readonly sockets?: SocketPaths;
  /** Whether the bundle in force holds it; where not, every check is denied as `unknown-destination`. */
  readonly inBundle: boolean;
  readonly svid: {
    readonly state: "pending" | "none" | "present";
    readonly serial?: string;
    readonly notAfter?: string;
    readonly problem?: string;
  };
  readonly secrets?: SidecarSecretsStatus;
  /** Why public listeners have no certificate, or keep the last one. */
  readonly publicCertificates?: readonly string[];
}
