import { createHash } from "node:crypto";
import type { SpiffeId } from "../../spiffe/index.ts";
import { parseAddress } from "../match/address.ts";
import type { Caller } from "../match/caller.ts";
import { canonicalHost } from "../match/host.ts";
import { parseQuery, type Query } from "../match/query.ts";
import { type RequestView, requestView } from "../match/request.ts";
import type { Attributes, PolicySet, Workload } from "../model/index.ts";
import { type CanonicalPath, canonicalPath } from "../path/canonical-path.ts";

/** Everything that the rules look at, worked out from one set of attributes. */
export interface Situation {
  readonly set: PolicySet;
  readonly attributes: Attributes;
  readonly destination: Workload | undefined;
  /** Absent where the caller was refused. */
  readonly caller: Caller | undefined;
  readonly address: readonly number[] | undefined;
  readonly path: CanonicalPath | undefined;
  readonly host: ReturnType<typeof canonicalHost> | undefined;
  readonly query: Query;
  readonly request: RequestView;
}

/** Works out the situation; refusals are left for the verdict to find. */
export function situationOf(set: PolicySet, attributes: Attributes, destinations: readonly string[]): Situation {
  const text = attributes.destination.toString();
  const destination = destinations.includes(text) ? workloadOf(set, text) : undefined;
  const { http, peerAddress } = attributes;
  const path = http === undefined ? undefined : canonicalPath(http.path, destination?.paths);
  return {
    set,
    attributes,
    destination,
    caller: callerOf(set, attributes),
    address: peerAddress === undefined ? undefined : parseAddress(peerAddress),
    path,
    host: http === undefined ? undefined : canonicalHost(http.host),
    query: http === undefined ? new Map() : parseQuery(http.path),
    request: requestView(attributes, path?.ok ? path.segments : undefined),
  };
}

function workloadOf(set: PolicySet, identity: string): Workload | undefined {
  return set.workloads.find((workload) => workload.identity.toString() === identity);
}

function callerOf(set: PolicySet, attributes: Attributes): Caller | undefined {
  if (attributes.listener.kind === "edge") return { kind: "anonymous" };
  const id = attributes.caller;
  if (id === undefined) return undefined;
  if (id.trustDomain !== set.mesh.trustDomain) return { kind: "foreign", id };
  const workload = workloadOf(set, id.toString());
  if (workload !== undefined) return { kind: "registered", id, workload };
  const hash = callerHash(id);
  const unnamed = set.unnamedCallers.find((entry) => entry.hash === hash);
  return unnamed && { kind: "unnamed", id, isolate: unnamed.isolate };
}

/** The key of an unnamed caller: lower-case hex of the first 16 bytes of SHA-256 over the identity's text. */
export function callerHash(id: SpiffeId): string {
  return createHash("sha256").update(id.toString()).digest("hex").slice(0, 32);
}

/** The `isolate` labels of which caller and callee do not both carry the same value. */
export function apartLabels(situation: Situation): readonly string[] {
  const { caller, destination, set } = situation;
  return set.mesh.isolate.filter((key) => {
    const own = destination?.labels.get(key);
    return own === undefined || isolateLabelOf(caller, key) !== own;
  });
}

/** A caller's value of an isolation label. */
export function isolateLabelOf(caller: Caller | undefined, key: string): string | undefined {
  switch (caller?.kind) {
    case "registered":
      return caller.workload.labels.get(key);
    case "unnamed":
      return caller.isolate.get(key);
    default:
      return undefined;
  }
}
