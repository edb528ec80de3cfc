import type { EnvoyVersion } from "../binary/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { type ListenerView, listenerView } from "./listener-view.ts";
import type { Resources } from "./resources.ts";
import type { ConfigSource } from "./source.ts";
import { at, type ConfigNode, entries, items, number, text } from "./tree.ts";

/** A configuration as the rules look at it, wherever its parts stand in the text. */
export interface ConfigView {
  readonly kind: "bootstrap" | "dump" | "resources";
  /** The bootstrap, where the text holds one. */
  readonly bootstrap: ConfigNode | undefined;
  readonly listeners: readonly ListenerView[];
  readonly clusters: ReadonlyMap<string, ConfigNode>;
  /** What the dump says the Envoy is. */
  readonly version: EnvoyVersion | undefined;
  /** Listeners or clusters that a server sends and that are not in the text. */
  readonly unseen: readonly { readonly node: ConfigNode; readonly what: "listeners" | "clusters" }[];
}

/**
 * Finds listeners and clusters in a bootstrap, in what the admin interface's `/config_dump` answers, in a file of xDS resources or in a
 * listener by itself. Throws `ERR_ENVOY_CONFIG` where the text is none of these.
 */
export function configView(source: ConfigSource): ConfigView {
  const { root } = source;
  const kind = kindOf(source);
  const dumps = kind === "dump" ? items(at(root, "configs")) : [];
  const bootstrap = kind === "bootstrap" ? root : at(dumpOf(dumps, "BootstrapConfigDump"), "bootstrap");
  const resources =
    kind === "resources" ? resourcesOf(root) : kind === "dump" ? dumped(dumps, bootstrap) : statics(root);
  const clusters = new Map(resources.clusters.map((one) => [text(at(one, "name")) ?? "", one]));
  return {
    kind,
    bootstrap,
    listeners: resources.listeners.map((node) => listenerView(node, { ...resources, clustersByName: clusters })),
    clusters,
    version: versionOf(at(bootstrap, "node", "user_agent_build_version", "version")),
    unseen: kind === "bootstrap" ? unseen(root) : [],
  };
}

function kindOf({ file, root }: ConfigSource): ConfigView["kind"] {
  if (at(root, "configs")?.kind === "seq") return "dump";
  if (at(root, "static_resources", "listeners") ?? at(root, "static_resources")) return "bootstrap";
  if (at(root, "resources") ?? at(root, "filter_chains")) return "resources";
  if (BOOTSTRAP.some((name) => at(root, name) !== undefined)) return "bootstrap";
  throw new EnvoyError("ERR_ENVOY_CONFIG", `${file}:1:1: no Envoy configuration`, {
    hint: "give a bootstrap (with `static_resources`), what `/config_dump` of the admin interface answers, or a file of xDS resources",
  });
}

const BOOTSTRAP = ["dynamic_resources", "admin", "layered_runtime"];

function dumpOf(dumps: readonly ConfigNode[], type: string): ConfigNode | undefined {
  return dumps.find((one) => text(at(one, "@type"))?.endsWith(`.${type}`) === true);
}

function dumped(dumps: readonly ConfigNode[], bootstrap: ConfigNode | undefined): Resources {
  const listeners = dumpOf(dumps, "ListenersConfigDump");
  const clusters = dumpOf(dumps, "ClustersConfigDump");
  const each = (dump: ConfigNode | undefined, list: string, ...path: readonly string[]) =>
    items(at(dump, list)).flatMap((one) => at(one, ...path) ?? []);
  const fixed = statics(bootstrap);
  return {
    listeners:
      listeners === undefined
        ? fixed.listeners
        : [
            ...each(listeners, "static_listeners", "listener"),
            ...each(listeners, "dynamic_listeners", "active_state", "listener"),
          ],
    clusters:
      clusters === undefined
        ? fixed.clusters
        : [...each(clusters, "static_clusters", "cluster"), ...each(clusters, "dynamic_active_clusters", "cluster")],
    routes: named(each(dumpOf(dumps, "RoutesConfigDump"), "dynamic_route_configs", "route_config")),
    filters: named(each(dumpOf(dumps, "EcdsConfigDump"), "ecds_filters", "ecds_filter")),
  };
}

function named(nodes: readonly ConfigNode[]): ReadonlyMap<string, ConfigNode> {
  return new Map(nodes.map((one) => [text(at(one, "name")) ?? "", one]));
}

function statics(bootstrap: ConfigNode | undefined): Resources {
  const listed = at(bootstrap, "static_resources");
  return {
    listeners: items(at(listed, "listeners")),
    clusters: items(at(listed, "clusters")),
    routes: new Map(),
    filters: new Map(),
  };
}

/** A file of xDS resources (`resources`, each with its `@type`), or one listener by itself. */
function resourcesOf(root: ConfigNode): Resources {
  const all = at(root, "resources") === undefined ? [root] : items(at(root, "resources"));
  const of = (type: string) =>
    all.filter((one) => (text(at(one, "@type")) ?? (at(one, "filter_chains") && ".Listener"))?.endsWith(`.${type}`));
  return {
    listeners: of("Listener"),
    clusters: of("Cluster"),
    routes: named(of("RouteConfiguration")),
    filters: named(of("TypedExtensionConfig")),
  };
}

function unseen(bootstrap: ConfigNode): ConfigView["unseen"] {
  const dynamic = at(bootstrap, "dynamic_resources");
  return (["listeners", "clusters"] as const).flatMap((what) => {
    const node = at(dynamic, what === "listeners" ? "lds_config" : "cds_config");
    return node === undefined ? [] : [{ node, what }];
  });
}

function versionOf(node: ConfigNode | undefined): EnvoyVersion | undefined {
  if (entries(node).length === 0) return undefined;
  const [major, minor, patch] = ["major_number", "minor_number", "patch"].map((name) => number(at(node, name)) ?? 0);
  return { major: major ?? 0, minor: minor ?? 0, patch: patch ?? 0 };
}
