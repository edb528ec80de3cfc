import type { EnvoyVersion } from "../../binary/index.ts";
import { render } from "../../config/testing/look.ts";
import { call, listen, meshOf, sidecar, workload } from "../../config/testing/sidecars.ts";
import type { PatchTarget } from "../lint-context.ts";

/** The version that the cases are about unless they say otherwise. */
export const VERSION: EnvoyVersion = { major: 1, minor: 40, patch: 0 };

const provider = { issuer: "https://idp.example", audiences: ["orders"], jwks: { inline: '{"keys":[]}' } };

const set = meshOf(
  [
    workload(
      "orders",
      sidecar({
        listens: [
          listen({ port: 8443, app: "127.0.0.1:8080" }),
          listen({ port: 5432, protocol: "tcp", app: "127.0.0.1:5433" }),
        ],
        calls: [call("web", 8443, "127.0.0.1:9000")],
      }),
    ),
    workload("web", sidecar({ address: "10.0.0.7", listens: [listen({ port: 8443 })] })),
  ],
  { jwtProviders: new Map([["idp", provider]]) },
);

/** What the cases are patched for. */
export const TARGET: PatchTarget = {
  workload: "shop/orders",
  mesh: set.mesh,
  sockets: { authz: "/run/cw/authz.sock", envoy: "/run/cw/envoy.sock" },
  envoyVersion: VERSION,
  mtls: false,
  keepOverrideHeaders: [],
  withheld: ["authorization", "cookie", "proxy-authorization"],
};

const LISTENERS = "static_resources.listeners";
const HCM = `${LISTENERS}.0.filter_chains.0.filters.0.typed_config`;
const TLS = `${LISTENERS}.0.filter_chains.0.transport_socket.typed_config`;

/** Short names of places in the configuration of `hardened`. */
const PLACES: ReadonlyMap<string, string> = new Map([
  ["listener", `${LISTENERS}.0`],
  ["hcm", HCM],
  ["jwt", `${HCM}.http_filters.0.typed_config`],
  ["authz", `${HCM}.http_filters.1.typed_config`],
  ["routes", `${HCM}.route_config`],
  ["host", `${HCM}.route_config.virtual_hosts.0`],
  ["tls", TLS],
  ["fixed", `${TLS}.common_tls_context.combined_validation_context.default_validation_context`],
  ["tcp", `${LISTENERS}.1.filter_chains.0.filters.1.typed_config`],
  ["tcpchain", `${LISTENERS}.1.filter_chains.0`],
  ["egress", `${LISTENERS}.2`],
  ["peer", "static_resources.clusters.3.transport_socket.typed_config"],
]);

/** A change of the hardened configuration: a value at a place (`hcm.normalize_path`); undefined takes it away. */
export type Change = readonly [place: string, value: unknown];

/** A sidecar's configuration without any finding: mutual TLS for HTTP and TCP, tokens, a call of another workload; changed as told. */
export function hardened(changes: readonly Change[] = []): unknown {
  const orders = set.workloads[0];
  if (orders === undefined) throw new Error("no workload");
  const config: unknown = JSON.parse(JSON.stringify(render({ workload: orders, set })));
  for (const [place, value] of changes) put(config, pathOf(place), value);
  return config;
}

/** Keys with dots in them are written with `~` in their stead. */
function pathOf(place: string): readonly string[] {
  const [head = "", ...rest] = place.split(".");
  const keys = rest.map((key) => key.replaceAll("~", "."));
  return [...(PLACES.get(head) ?? head).split("."), ...keys];
}

function put(config: unknown, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined || typeof config !== "object" || config === null) throw new Error(`no place ${path.join(".")}`);
  const holder: Record<string, unknown> = Object(config);
  // Beyond a list's end is its end.
  const name = Array.isArray(config) && Number(key) > config.length ? String(config.length) : key;
  if (rest.length > 0) {
    holder[name] ??= {};
    put(holder[name], rest, value);
  } else if (value !== undefined) holder[name] = value;
  else if (Array.isArray(config)) config.splice(Number(name), 1);
  else delete holder[name];
}
