import { AUTHZ_CLUSTER, agentCluster, ENVOY_CLUSTER, IDENTITY_CLUSTER, identityClusters } from "../config/cluster.ts";
import { add, type Edit, set } from "./edit.ts";
import { chains, type LintContext } from "./lint-context.ts";
import { at, type ConfigNode, text, walk } from "./tree.ts";

/**
 * The clusters of the sockets that a patched configuration needs, where they are not there yet. INVARIANT: every rule of a round gets the
 * same list, so that insertions of several rules are one.
 */
export function agentClusters({ view, target }: LintContext): readonly Edit[] {
  const resources = at(view.bootstrap, "static_resources");
  if (resources === undefined) return [];
  const missing = [
    agentCluster(AUTHZ_CLUSTER, target.sockets.authz),
    agentCluster(ENVOY_CLUSTER, target.sockets.envoy),
    ...(target.mtls && chains(view, "ingress").some(({ tls }) => tls === undefined)
      ? identityClusters(target.mesh)
      : []),
  ].filter(({ name }) => typeof name === "string" && !view.clusters.has(name));
  return missing.length === 0 ? [] : add(resources, "clusters", missing);
}

/** A cluster of ours that leads elsewhere: to another workload's socket, or to one of an earlier run folder. */
export interface StrayCluster {
  readonly node: ConfigNode;
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** The clusters of ours that do not lead to the target's sockets. */
export function strayClusters({ view, target }: LintContext): readonly StrayCluster[] {
  const { identity } = target.mesh;
  const places: readonly (readonly [string, string | undefined])[] = [
    [AUTHZ_CLUSTER, target.sockets.authz],
    [ENVOY_CLUSTER, target.sockets.envoy],
    [IDENTITY_CLUSTER, identity?.certificates?.sds.slice("unix:".length)],
  ];
  return places.flatMap(([name, path]) => {
    const node = view.clusters.get(name);
    return node === undefined || path === undefined ? [] : stray(name, node, path);
  });
}

/** One that leads over a network is the user's own doing. */
function stray(name: string, node: ConfigNode, path: string): readonly StrayCluster[] {
  const [pipe, ...others] = [...walk(at(node, "load_assignment"))].flatMap((one) => at(one, "pipe") ?? []);
  if (pipe === undefined || others.length > 0 || text(at(pipe, "path")) === path) return [];
  return [{ node: pipe, name, edits: set(pipe, ["path"], path) }];
}
