import type { LocatedEnvoy } from "../../envoy/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import type { Mesh, MeshOptions } from "../up/start-mesh.ts";
import type { RecordLog } from "./record-log.ts";

/** Files to start from, and where to put what runs. */
export interface LocalMeshOptions {
  /** The policy set, without anything about places. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** A folder of the mesh's own, with a short path: unix sockets live below it. */
  readonly folder: string;
  readonly envoy: LocatedEnvoy;
  /** Namespace of workloads that are named without one; default: `shop`. */
  readonly namespace?: string;
  /** How long certificates and keys hold. */
  readonly lifetimes?: NonNullable<MeshOptions["lifetimes"]>;
  /** Signs revocation lists (CRLs) too. */
  readonly revocationLists?: boolean;
  /** What authority and agent have to say; default: nothing. */
  readonly log?: NonNullable<MeshOptions["log"]>;
  /** What an Envoy has to say, a line at a time. */
  readonly onEnvoyLog?: (workload: string, line: string) => void;
  /** Loopback address a workload listens on, by `<namespace>/<name>`; default: one of its own for each. */
  readonly addresses?: ReadonlyMap<string, string>;
  /** More documents about places, read after those that put the mesh on this host; they lie in `overlayDir`. */
  readonly places?: readonly { readonly path: string; readonly text: string }[];
}

/** Sockets of one workload. */
export interface WorkloadSockets {
  readonly authz: string;
  readonly envoy: string;
  readonly workload: string;
  /** Envoy's admin interface. */
  readonly admin: string;
}

/**
 * A whole mesh on this host: authority and agent in this process, one Envoy a workload. Names are workload names of `namespace`, or
 * `<namespace>/<name>`.
 */
export interface LocalMesh {
  readonly namespace: string;
  readonly trustDomain: string;
  /** The set as it started, with the local places in it. */
  readonly set: PolicySet;
  readonly records: RecordLog;
  /** The authority and the agent. */
  readonly mesh: Mesh;
  readonly stateDir: string;
  /** The folder whose files `edit` changes and the mesh watches. */
  readonly policyDir: string;
  /** The folder with the local places, read after `policyDir`. */
  readonly overlayDir: string;
  /** `<namespace>/<name>` of a workload. */
  key(workload: string): string;
  address(workload: string): string;
  sockets(workload: string): WorkloadSockets;
  appSocket(workload: string, port: number): string;
  callSocket(workload: string, callee: string): string;
  /** Starts the Envoys of these workloads, all by default; resolves when each is live. */
  startSidecars(workloads?: readonly string[]): Promise<void>;
  /** Changes a file of `policyDir` on disk; returns its text before. */
  edit(file: string, change: (text: string) => string): Promise<string>;
  /** The first error of the newest edit, while it keeps an older revision in force. */
  refusedEdit(): { readonly line: number; readonly message: string } | undefined;
  revoke(identity: string, reason: string): Promise<void>;
  stop(): Promise<void>;
}
