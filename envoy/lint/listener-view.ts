import type { Resources } from "./resources.ts";
import { at, type ConfigNode, entries, flag, items, number, text, walk } from "./tree.ts";

/** A listener. */
export interface ListenerView {
  readonly node: ConfigNode;
  readonly name: string;
  /** The port that it is bound to; undefined for a unix socket. */
  readonly port: number | undefined;
  /** Whether only this host, or this network namespace, reaches it: loopback, a unix socket, or bound to no port at all. */
  readonly local: boolean;
  readonly chains: readonly ChainView[];
}

/** A filter chain of a listener. */
export interface ChainView {
  readonly listener: ListenerView;
  readonly node: ConfigNode;
  /** The `DownstreamTlsContext`; undefined for plaintext. */
  readonly tls: ConfigNode | undefined;
  readonly filters: readonly FilterView[];
  readonly http: HttpView | undefined;
  /**
   * `egress`: from the local app to others, with the local app's own identity. `ingress`: everything else, where callers must be
   * authorized.
   */
  readonly direction: "ingress" | "egress";
}

/** A network or HTTP filter with its configuration. */
export interface FilterView {
  readonly node: ConfigNode;
  readonly name: string;
  /** Last part of the type's name: `ExtAuthz`. */
  readonly type: string;
  readonly config: ConfigNode;
}

/** An HTTP connection manager. */
export interface HttpView {
  readonly node: ConfigNode;
  readonly filters: readonly FilterView[];
  /** The route configuration; undefined where a server sends it and it is not in the text. */
  readonly routes: ConfigNode | undefined;
}

/** What a listener is seen among. */
export interface Surroundings extends Resources {
  readonly clustersByName: ReadonlyMap<string, ConfigNode>;
}

/** A listener with its chains. */
export function listenerView(node: ConfigNode, around: Surroundings): ListenerView {
  const addresses = [at(node, "address"), ...items(at(node, "additional_addresses")).map((one) => at(one, "address"))];
  const chains: ChainView[] = [];
  const unbound = flag(at(node, "bind_to_port")) === false || at(node, "internal_listener") !== undefined;
  const view: ListenerView = {
    node,
    name: text(at(node, "name")) ?? "",
    port: number(at(node, "address", "socket_address", "port_value")),
    local: unbound || addresses.every(isLocal),
    chains,
  };
  const own = items(at(node, "filter_chains"));
  const fallback = at(node, "default_filter_chain");
  for (const chain of fallback === undefined ? own : [...own, fallback]) chains.push(chainView(chain, view, around));
  return view;
}

/** Whether only processes of this host reach an address. */
export function isLocal(address: ConfigNode | undefined): boolean {
  if (at(address, "pipe") ?? at(address, "envoy_internal_address")) return true;
  const ip = text(at(address, "socket_address", "address")) ?? "";
  return /^127\.\d+\.\d+\.\d+$/.test(ip) || ip === "::1" || ip === "localhost";
}

function chainView(node: ConfigNode, listener: ListenerView, around: Surroundings): ChainView {
  const filters = items(at(node, "filters")).map((one) => filterView(one, around));
  const manager = filters.find(({ type }) => type === "HttpConnectionManager");
  const http = manager === undefined ? undefined : httpView(manager.config, around);
  const socket = at(node, "transport_socket");
  const tls = socket === undefined ? undefined : tlsOf(socket);
  const view = { listener, node, tls, filters, http };
  return { ...view, direction: directionOf(view, around) };
}

function tlsOf(socket: ConfigNode): ConfigNode | undefined {
  const { type, config } = typedConfig(at(socket, "typed_config"));
  // QUIC and STARTTLS sockets hold the context.
  return type === "DownstreamTlsContext"
    ? config
    : (at(config, "downstream_tls_context") ?? at(config, "tls_socket_config"));
}

function httpView(node: ConfigNode, around: Surroundings): HttpView {
  const name = text(at(node, "rds", "route_config_name"));
  return {
    node,
    filters: items(at(node, "http_filters")).map((one) => filterView(one, around)),
    routes: at(node, "route_config") ?? (name === undefined ? undefined : around.routes.get(name)),
  };
}

function filterView(node: ConfigNode, around: Pick<Resources, "filters">): FilterView {
  const name = text(at(node, "name")) ?? "";
  const discovery = at(node, "config_discovery");
  const sent = discovery === undefined ? undefined : around.filters.get(name);
  const any = at(node, "typed_config") ?? at(sent, "typed_config") ?? at(discovery, "default_config");
  const { type, config } = typedConfig(any);
  return {
    node,
    name,
    type:
      type ||
      (text(items(at(discovery, "type_urls"))[0])
        ?.split(".")
        .at(-1) ??
        ""),
    config: config ?? node,
  };
}

/** The message in an `Any`, and the last part of its type's name. A `TypedStruct` is looked into. */
export function typedConfig(any: ConfigNode | undefined): {
  readonly type: string;
  readonly config: ConfigNode | undefined;
} {
  const type = text(at(any, "@type"))?.split(".").at(-1) ?? "";
  if (type !== "TypedStruct") return { type, config: any };
  return { type: text(at(any, "type_url"))?.split(".").at(-1) ?? "", config: at(any, "value") };
}

function directionOf(chain: Omit<ChainView, "direction">, { clustersByName }: Surroundings): ChainView["direction"] {
  const said = text(at(chain.listener.node, "traffic_direction"));
  if (said !== undefined && said !== "UNSPECIFIED") return said === "OUTBOUND" ? "egress" : "ingress";
  if (chain.tls !== undefined || !chain.listener.local) return "ingress";
  const targets = targetsOf(chain).map((name) => clustersByName.get(name));
  const outside =
    targets.length > 0 && targets.every((cluster) => cluster !== undefined && upstreamTls(cluster) !== undefined);
  return outside ? "egress" : "ingress";
}

function targetsOf({ http, filters }: Pick<ChainView, "http" | "filters">): readonly string[] {
  const roots = http === undefined ? filters.map(({ config }) => config) : [http.routes];
  return roots.flatMap((root) =>
    [...walk(root)].flatMap((node) =>
      entries(node).flatMap(({ key, value }) => (key === "cluster" ? (text(value) ?? []) : [])),
    ),
  );
}

/** The `UpstreamTlsContext` of a cluster; undefined for plaintext. */
export function upstreamTls(cluster: ConfigNode): ConfigNode | undefined {
  const sockets = [
    at(cluster, "transport_socket"),
    ...items(at(cluster, "transport_socket_matches")).map((one) => at(one, "transport_socket")),
  ];
  return sockets
    .map((socket) => typedConfig(at(socket, "typed_config")))
    .find(({ type }) => type === "UpstreamTlsContext" || type === "QuicUpstreamTransport")?.config;
}
