import { addressBlock, blocksOutside, blockWithin } from "../draft/address-blocks.ts";
import type { DraftCaller } from "../draft/draft.ts";
import { callersOfNamespace, everyCaller } from "../draft/everything.ts";
import type { Say } from "../draft/say.ts";
import type { KnownWorkload, World } from "../draft/world.ts";
import { type LabelSelector, labelMaps, selectorMatches } from "./label-selector.ts";
import type { Peer, PeerRule } from "./network-policy.ts";

const NAME_LABEL = "kubernetes.io/metadata.name";

/** The callers that the peers of a rule name. */
export function callersOfRule({ peers }: PeerRule, namespace: string, world: World, say: Say): readonly DraftCaller[] {
  if (peers.length === 0) return everyCaller(world);
  return peers.flatMap((peer) => callersOfPeer(peer, namespace, world, say));
}

function callersOfPeer(peer: Peer, own: string, world: World, say: Say): readonly DraftCaller[] {
  if (peer.kind === "block") {
    const addresses = blocksOf(peer);
    return addresses.length === 0 ? [] : [{ addresses }];
  }
  const namespaces = peer.namespaces === undefined ? [own] : namespacesOf(peer.namespaces, world, say);
  if (peer.pods.length > 0)
    return labelMaps(peer.pods).flatMap((labels) =>
      (namespaces === "*" ? ["*"] : namespaces).map((namespace) => ({ labels, namespace })),
    );
  if (namespaces === "*") return [{ anyone: "authenticated" }];
  return namespaces.flatMap((namespace) => callersOfNamespace(namespace, world));
}

/** The blocks of an `ipBlock`, its exceptions cut out. */
function blocksOf({ cidr, except }: Extract<Peer, { kind: "block" }>): readonly string[] {
  const block = addressBlock(cidr);
  if (block === undefined) return [];
  const outside = except.length === 0 ? [block] : blocksOutside(except);
  return outside.flatMap((one) => {
    if (blockWithin(one, block)) return [one];
    return blockWithin(block, one) ? [block] : [];
  });
}

function namespacesOf(selector: LabelSelector, world: World, say: Say): readonly string[] | "*" {
  if (selector.length === 0) return "*";
  const byName = selector.every(({ key, operator }) => key === NAME_LABEL && operator === "In");
  if (byName)
    return [...new Set(selector.flatMap(({ values }) => values))].filter((name) => isSelected(selector, name, {}));
  say("narrower", "namespaces are told by name here, those selected at the time of the import", "unregistered");
  return [...world.namespaces].filter(([name, labels]) => isSelected(selector, name, labels)).map(([name]) => name);
}

function isSelected(selector: LabelSelector, name: string, labels: Readonly<Record<string, string>>): boolean {
  return selectorMatches(selector, { [NAME_LABEL]: name, ...labels });
}

/** Whether a registered workload is one of the peers; an address block tells of none. */
export function isPeer(peers: readonly Peer[], own: string, workload: KnownWorkload, world: World): boolean {
  if (peers.length === 0) return true;
  return peers.some((peer) => {
    if (peer.kind === "block" || !selectorMatches(peer.pods, workload.labels)) return false;
    if (peer.namespaces === undefined) return workload.namespace === own;
    return isSelected(peer.namespaces, workload.namespace, world.namespaces.get(workload.namespace) ?? {});
  });
}
