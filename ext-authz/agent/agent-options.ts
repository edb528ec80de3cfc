import type { DecisionLogOptions } from "../decision-log.ts";
import type { Logger } from "../logger.ts";
import type { NodeAttestationOptions } from "./credential.ts";
import type { Timers } from "./timers.ts";

/** How an agent is made. */
export interface AgentOptions {
  /** `https://host:port` */
  readonly authorityUrl: string;
  /** Needed once, for the first start on a node; later starts take up the kept identity. */
  readonly joinToken?: string;
  /** In place of a join token, and whenever the certificate has expired: a token of the platform's. */
  readonly attestation?: NodeAttestationOptions;
  /** The agent's own folder: key, certificate, last bundle, shards, revocations, clock. */
  readonly stateDir: string;
  /** Where the workloads' sockets are made. */
  readonly runDir: string;
  readonly clock?: () => Date;
  readonly timers?: Timers;
  /** pino fits; JSON lines on standard error without it. */
  readonly log?: Logger;
  readonly decisionLog?: DecisionLogOptions;
  /** Where metrics, probes and status are served; nowhere without it. Port 0 takes a free one. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  /** Where `Check` is served over mTLS to sidecars that cannot reach a unix socket; nowhere without it. Port 0 takes a free one. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** How long an expired bundle still decides, in milliseconds; one hour without it. */
  readonly maxStaleMs?: number;
}
