import type { Matcher, Node, PolicySet, Workload } from "../policies/index.ts";
import type { NodeWorkloads } from "../protocol/index.ts";

/** Whether a node may run a workload: on what grounds, or why not. */
export type Admission =
  | { readonly ok: true; readonly evidence: string }
  | { readonly ok: false; readonly reason: string };

/** Who may run where, by the documents last published. */
export interface Registry {
  node(name: string): Node | undefined;
  nodeNames(): readonly string[];
  workload(identity: string): Workload | undefined;
  admit(node: Node, workload: Workload): Admission;
  /** Whether another authority issues the workloads' certificates. */
  readonly external: boolean;
  workloadsOf(node: string): NodeWorkloads;
}

type RegisteredSet = Pick<PolicySet, "nodes" | "workloads"> & Partial<Pick<PolicySet, "mesh">>;

/**
 * Reads nodes and workloads of a policy set. `localNode` exists even if no document names it, and may run every workload
 * that has no `runsOn`; no other node may run those.
 */
export function registryOf(set: RegisteredSet, localNode?: string): Registry {
  const nodes = new Map(set.nodes.map((node) => [node.name, node]));
  if (localNode !== undefined && !nodes.has(localNode)) nodes.set(localNode, unnamedNode(localNode));
  const workloads = new Map(set.workloads.map((workload) => [workload.identity.toString(), workload]));
  const admit = (node: Node, workload: Workload) => admission(node, workload, localNode);
  return Object.freeze({
    node: (name: string) => nodes.get(name),
    nodeNames: () => [...nodes.keys()],
    workload: (identity: string) => workloads.get(identity),
    admit,
    external: set.mesh?.identity !== undefined,
    workloadsOf: (name: string) => {
      const node = nodes.get(name);
      const mine = node === undefined ? [] : set.workloads.filter((workload) => admit(node, workload).ok);
      const identity = set.mesh?.identity;
      const workloads = mine.map(nodeWorkload);
      return { node: name, workloads, ...(identity === undefined ? {} : { externalBundle: identity.bundle }) };
    },
  });
}

const NOWHERE = { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 };

function unnamedNode(name: string): Node {
  return { name, labels: new Map(), attest: [{ kind: "joinToken" }], span: NOWHERE };
}

function admission(node: Node, workload: Workload, localNode: string | undefined): Admission {
  const { runsOn } = workload;
  if (runsOn === undefined) {
    if (node.name === localNode) return { ok: true, evidence: `local node ${node.name}` };
    return { ok: false, reason: "the workload has no `runsOn`, so only the local node may run it" };
  }
  if ("node" in runsOn) {
    if (runsOn.node === node.name) return { ok: true, evidence: `runsOn node ${node.name}` };
    return { ok: false, reason: `the workload runs on node \`${runsOn.node}\`, not on \`${node.name}\`` };
  }
  return byLabels(node, runsOn.labels);
}

function byLabels(node: Node, labels: ReadonlyMap<string, Matcher>): Admission {
  const wanted = [...labels];
  const missed = wanted.find(([key, matcher]) => !labelMatches(matcher, node.labels.get(key)));
  if (missed === undefined) {
    return { ok: true, evidence: `runsOn ${wanted.map(([key, matcher]) => printLabel(key, matcher)).join(", ")}` };
  }
  const has = node.labels.get(missed[0]);
  const got = has === undefined ? "no such label" : `\`${missed[0]}=${has}\``;
  return {
    ok: false,
    reason: `the workload runs on nodes with \`${printLabel(...missed)}\`; node \`${node.name}\` has ${got}`,
  };
}

/** One label test; a label that is not there satisfies `absent` alone. `contains`, `has` and `hasAny` are not for labels. */
function labelMatches(matcher: Matcher, value: string | undefined): boolean {
  if (value === undefined) return matcher.kind === "absent";
  switch (matcher.kind) {
    case "equals":
      return value === matcher.value;
    case "in":
      return matcher.values.includes(value);
    case "not":
      return value !== matcher.value;
    case "notIn":
      return !matcher.values.includes(value);
    case "prefix":
      return value.startsWith(matcher.value);
    case "suffix":
      return value.endsWith(matcher.value);
    case "present":
      return true;
    case "absent":
    case "contains":
    case "has":
    case "hasAny":
      return false;
    default:
      return matcher satisfies never;
  }
}

function printLabel(key: string, matcher: Matcher): string {
  switch (matcher.kind) {
    case "equals":
      return `${key}=${matcher.value}`;
    case "present":
    case "absent":
      return `${key} ${matcher.kind}`;
    default:
      return `${key} ${matcher.kind} ${"values" in matcher ? matcher.values.join("|") : matcher.value}`;
  }
}

function nodeWorkload(workload: Workload): NodeWorkloads["workloads"][number] {
  const socket = workload.attest.find((way) => way.kind === "socket");
  const listens = workload.sidecar?.listens ?? [];
  const host = workload.sidecar?.address ?? "";
  const handshakes = listens
    .filter(({ clients, protocol }) => clients === "mesh" && protocol !== "tcp")
    .map(({ port }) => ({ host, port }));
  return {
    identity: workload.identity.toString(),
    namespace: workload.namespace,
    name: workload.name,
    ...(socket === undefined ? {} : { uid: socket.uid }),
    sharedUid: socket?.sharedUid ?? false,
    serverFirstPorts: listens
      .filter((listen) => listen.protocol === "tcp" && listen.speaksFirst === "server")
      .map((listen) => listen.port),
    ...(handshakes.length === 0 ? {} : { handshakes }),
  };
}
