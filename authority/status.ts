import type { CertificateAuthority } from "../ca/index.ts";
import type { PolicySet, Workload } from "../policies/index.ts";
import type { AuthorityStatus } from "../protocol/index.ts";
import { federationOf } from "./federation/federation-status.ts";
import type { ForeignDomains } from "./federation/foreign-domains.ts";
import type { NodeBook, NodeEntry } from "./node-book.ts";
import type { OutwardServers } from "./outward/outward-servers.ts";
import type { PendingPublish } from "./policy-archive.ts";

/** What a status is made of. */
export interface StatusSources {
  readonly ca: CertificateAuthority;
  readonly set: PolicySet | undefined;
  readonly refused: AuthorityStatus["refused"];
  readonly pending: readonly PendingPublish[];
  readonly nodes: NodeBook;
  readonly version: string;
  readonly startedAt: Date;
  readonly localNode: string | undefined;
  readonly foreign: ForeignDomains;
  readonly outward: OutwardServers;
}

/** The authority's state as administrators read it. */
export function statusOf(sources: StatusSources): AuthorityStatus {
  const { ca, set, refused } = sources;
  const revocations = ca.revocations().document;
  return {
    trustDomain: ca.trustDomain,
    version: sources.version,
    startedAt: sources.startedAt.toISOString(),
    rootFingerprint: ca.rootFingerprint(),
    ...bundleStatus(ca, set),
    ...(refused === undefined ? {} : { refused }),
    ...(sources.pending.length === 0 ? {} : { pending: sources.pending.map(pendingStatus) }),
    revocations: {
      sequence: revocations.sequence,
      serials: revocations.serials.length,
      identities: revocations.identities.length,
    },
    nodes: nodeNames(sources).map((node) => nodeStatus(node, sources.nodes.get(node))),
    authorities: ca.authorities(),
    ...federationOf(sources.foreign, sources.outward),
    ...(set === undefined ? {} : { workloads: set.workloads.map((each) => workloadStatus(each, set)) }),
  };
}

function bundleStatus(ca: CertificateAuthority, set: PolicySet | undefined): Pick<AuthorityStatus, "bundle"> {
  const manifest = ca.bundle()?.manifest;
  if (manifest === undefined) return {};
  const { epoch, revision, issuedAt, expiresAt, publisher, shards } = manifest;
  const policies = set?.policies.length ?? 0;
  return {
    bundle: { epoch, revision, issuedAt, expiresAt, publisher, destinations: Object.keys(shards).length, policies },
  };
}

function pendingStatus({ id, at, publisher, source, why }: PendingPublish) {
  return { id, at: at.toISOString(), publisher, source, why };
}

/** Nodes that are registered, that called, and the one of this process. */
function nodeNames({ set, nodes, localNode }: StatusSources): readonly string[] {
  const names = [...(set?.nodes ?? []).map((node) => node.name), ...nodes.all().map((entry) => entry.node)];
  return [...new Set(localNode === undefined ? names : [localNode, ...names])].sort();
}

function nodeStatus(node: string, entry: NodeEntry | undefined): AuthorityStatus["nodes"][number] {
  const { certificateNotAfter, lastSeen, report } = entry ?? {};
  return {
    node,
    enrolled: certificateNotAfter !== undefined,
    ...(certificateNotAfter === undefined ? {} : { certificateNotAfter: certificateNotAfter.toISOString() }),
    ...(lastSeen === undefined ? {} : { lastSeen: lastSeen.toISOString() }),
    ...report,
  };
}

type WorkloadStatus = NonNullable<AuthorityStatus["workloads"]>[number];

function workloadStatus(workload: Workload, set: PolicySet): WorkloadStatus {
  const identity = workload.identity.toString();
  const socket = workload.attest.find((each) => each.kind === "socket");
  return {
    identity,
    namespace: workload.namespace,
    name: workload.name,
    mode: workload.mode,
    policies: set.policies.filter((policy) => policy.destinations.includes(identity)).length,
    ...(socket === undefined ? {} : { uid: socket.uid }),
    ...(workload.sidecar === undefined ? {} : { sidecar: true }),
  };
}
