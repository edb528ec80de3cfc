import type { EnvoyVersion } from "../binary/index.ts";
import { supports } from "./feature.ts";
import { extension, type JsonObject } from "./json.ts";

const MAX_CONNECTIONS = 20_000;
const MAX_HEAP_BYTES = 268_435_456;
const HEAP = "envoy.resource_monitors.fixed_heap";

/** What a sidecar sheds before it dies: connections beyond a number, requests beyond a size of memory. */
export function overloadManager(): JsonObject {
  const whenHeapIs = (value: number): JsonObject => ({ name: HEAP, threshold: { value } });
  return {
    refresh_interval: "0.25s",
    resource_monitors: [
      extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        { max_active_downstream_connections: MAX_CONNECTIONS },
      ),
      extension(HEAP, "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig", {
        max_heap_size_bytes: MAX_HEAP_BYTES,
      }),
    ],
    actions: [
      { name: "envoy.overload_actions.disable_http_keepalive", triggers: [whenHeapIs(0.9)] },
      { name: "envoy.overload_actions.stop_accepting_requests", triggers: [whenHeapIs(0.95)] },
    ],
  };
}

/** What may be asked of the admin interface: to look, to drain, and nothing that changes how it decides. */
const ADMIN_PATHS: readonly JsonObject[] = [
  ...["/ready", "/server_info", "/certs", "/drain_listeners"].map((exact) => ({ exact })),
  ...["/stats", "/clusters", "/listeners", "/config_dump", "/init_dump"].map((prefix) => ({ prefix })),
];

/** The admin interface on a unix socket for its owner only. */
export function admin(path: string, version: EnvoyVersion): JsonObject {
  return {
    address: { pipe: { path, mode: 0o600 } },
    ...(supports(version, "adminAllowPaths") ? { allow_paths: ADMIN_PATHS } : {}),
  };
}
