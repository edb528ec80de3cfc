import { type ForeignDocument, isRecord } from "../foreign-yaml.ts";
import { InteropError } from "../interop-error.ts";
import type { SourcePlace } from "../report.ts";
import { type LabelSelector, readSelector } from "./label-selector.ts";

/** One peer of a rule. */
export type Peer =
  | { readonly kind: "block"; readonly cidr: string; readonly except: readonly string[]; readonly place: SourcePlace }
  | {
      readonly kind: "pods";
      /** Absent: the policy's own namespace. */
      readonly namespaces: LabelSelector | undefined;
      readonly pods: LabelSelector;
      readonly place: SourcePlace;
    };

/** One port of a rule; a name is of the pods' containers. */
export interface PortRange {
  readonly protocol: string;
  readonly from: number | string | undefined;
  readonly to: number | undefined;
}

/** One rule; no peers and no ports mean any. */
export interface PeerRule {
  readonly peers: readonly Peer[];
  readonly ports: readonly PortRange[];
  readonly place: SourcePlace;
}

/** One NetworkPolicy. A direction that is absent is not selected. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly place: SourcePlace;
  readonly pods: LabelSelector;
  readonly ingress: readonly PeerRule[] | undefined;
  readonly egress: readonly PeerRule[] | undefined;
}

/** Reads a NetworkPolicy; throws `InteropError` `ERR_POLICY_INTEROP_INVALID` for one that the API server refuses. */
export function readNetworkPolicy(document: ForeignDocument, defaultNamespace: string): NetworkPolicy {
  const refuse = (path: readonly (string | number)[], message: string): InteropError => {
    const { file, line, column } = document.at(path);
    return new InteropError("ERR_POLICY_INTEROP_INVALID", `${file}:${line}:${column}: ${message}`);
  };
  const value = isRecord(document.value) ? document.value : {};
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const spec = isRecord(value.spec) ? value.spec : {};
  const selectorOf = (given: unknown, path: readonly (string | number)[]): LabelSelector => {
    const selector = readSelector(given ?? {});
    if (selector === undefined) throw refuse(path, "a selector has `matchLabels` and `matchExpressions`");
    return selector;
  };
  const rulesOf = (key: "ingress" | "egress", side: "from" | "to"): readonly PeerRule[] => {
    const list = Array.isArray(spec[key]) ? spec[key] : [];
    return list.map((rule: unknown, index) => {
      const path = ["spec", key, index];
      if (!isRecord(rule) && rule !== null) throw refuse(path, "a rule is a map");
      const unknown = Object.keys(rule ?? {}).find((name) => name !== side && name !== "ports");
      if (unknown !== undefined) throw refuse([...path, unknown], `unknown key \`${unknown}\``);
      const peers = isRecord(rule) && Array.isArray(rule[side]) ? rule[side] : [];
      const ports = isRecord(rule) && Array.isArray(rule.ports) ? rule.ports : [];
      return {
        peers: peers.map((peer: unknown, at) => peerOf(peer, [...path, side, at])),
        ports: ports.map((port: unknown, at) => portOf(port, [...path, "ports", at])),
        place: document.at(path),
      };
    });
  };
  const peerOf = (peer: unknown, path: readonly (string | number)[]): Peer => {
    if (!isRecord(peer) || Object.keys(peer).length === 0)
      throw refuse(path, "a peer needs a selector or an `ipBlock`");
    const place = document.at(path);
    if (isRecord(peer.ipBlock)) {
      if (peer.podSelector !== undefined || peer.namespaceSelector !== undefined)
        throw refuse(path, "`ipBlock` stands alone");
      const except = Array.isArray(peer.ipBlock.except) ? peer.ipBlock.except.map(String) : [];
      return { kind: "block", cidr: String(peer.ipBlock.cidr), except, place };
    }
    const namespaces =
      peer.namespaceSelector === undefined
        ? undefined
        : selectorOf(peer.namespaceSelector, [...path, "namespaceSelector"]);
    return { kind: "pods", namespaces, pods: selectorOf(peer.podSelector, [...path, "podSelector"]), place };
  };
  const portOf = (port: unknown, path: readonly (string | number)[]): PortRange => {
    if (!isRecord(port)) throw refuse(path, "a port is a map");
    const from = typeof port.port === "number" || typeof port.port === "string" ? port.port : undefined;
    const to = typeof port.endPort === "number" ? port.endPort : undefined;
    if (to !== undefined && (typeof from !== "number" || to < from))
      throw refuse(path, "`endPort` ends a range of numbers");
    return { protocol: typeof port.protocol === "string" ? port.protocol : "TCP", from, to };
  };
  if (typeof metadata.name !== "string") throw refuse(["metadata"], "a policy needs a name");
  const types = Array.isArray(spec.policyTypes) ? spec.policyTypes.map(String) : undefined;
  const egress = types === undefined ? spec.egress !== undefined : types.includes("Egress");
  return {
    namespace: typeof metadata.namespace === "string" ? metadata.namespace : defaultNamespace,
    name: metadata.name,
    place: document.at([]),
    pods: selectorOf(spec.podSelector, ["spec", "podSelector"]),
    ingress: types === undefined || types.includes("Ingress") ? rulesOf("ingress", "from") : undefined,
    egress: egress ? rulesOf("egress", "to") : undefined,
  };
}
