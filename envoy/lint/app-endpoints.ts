import { configView } from "./config-view.ts";
import type { ConfigSource } from "./source.ts";
import { at, type ConfigNode, entries, number, text, walk } from "./tree.ts";

/** Where a listener for callers sends what it lets through. */
export type AppEndpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "ip"; readonly address: string; readonly port: number };

/** The apps behind the listeners of a configuration, each once. */
export function appEndpoints(source: ConfigSource): readonly AppEndpoint[] {
  const { listeners, clusters } = configView(source);
  const chains = listeners.flatMap((one) => one.chains).filter(({ direction }) => direction === "ingress");
  const roots = chains.flatMap(({ http, filters }) =>
    http === undefined ? filters.map(({ config }) => config) : [http.routes],
  );
  const names = new Set(roots.flatMap((root) => [...walk(root)].flatMap(clusterNames)));
  const found = [...names].flatMap((name) => endpointsOf(clusters.get(name)));
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

function clusterNames(node: ConfigNode): readonly string[] {
  return entries(node).flatMap(({ key, value }) => (key === "cluster" ? (text(value) ?? []) : []));
}

function endpointsOf(cluster: ConfigNode | undefined): readonly AppEndpoint[] {
  return [...walk(at(cluster, "load_assignment"))].flatMap((node): readonly AppEndpoint[] => {
    const path = text(at(node, "pipe", "path"));
    if (path !== undefined) return [{ kind: "unix", path }];
    const address = text(at(node, "socket_address", "address"));
    const port = number(at(node, "socket_address", "port_value"));
    return address === undefined || port === undefined ? [] : [{ kind: "ip", address, port }];
  });
}
