import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { type AgentWorld, startAgentWorld } from "../support/agent-world.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type FileSecrets, fileSecrets } from "../support/file-secrets.ts";
import { freePorts } from "../support/free-ports.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { overTls, requestBytes } from "../support/straight.ts";
import { HTTP2, loadAssignment } from "./istio-sidecar.ts";

// Envoy Gateway configures the Envoy of a front door; the agent is the service of its SecurityPolicy.

const GATEWAY = "spiffe://shop.example/edge/gateway";
const AGENT = "spiffe://shop.example/cellwall/agent/edge";
const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";
const FILTERS = "type.googleapis.com/envoy.extensions.filters";
const EXT_AUTHZ = "envoy.filters.http.ext_authz/securitypolicy/edge/cellwall";
const PROVIDER = "securitypolicy/edge/cellwall/0";

const policies = (bundle: string): string =>
  meshDocuments({
    trustDomain: "shop.example",
    mesh: { identity: { issuer: "external", bundle: { file: bundle } } },
    nodes: { edge: {} },
    namespace: "edge",
    workloads: { gateway: { runsOn: { node: "edge" } } },
    policies: {
      gateway: {
        allow: { "everybody-browses": { from: { anyone: "anonymous" }, requests: ["GET|HEAD /shop/**"] } },
      },
    },
  });

/** A listener, its route and the provider's cluster as Envoy Gateway's translator renders them, with the routes and endpoints inline. */
function gatewayConfig(
  secrets: FileSecrets,
  ports: { readonly listener: number; readonly agent: number },
  app: string,
) {
  const route = {
    name: "httproute/edge/shop/rule/0/match/0/www_shop_example",
    match: { prefix: "/" },
    route: { cluster: "httproute/edge/shop/rule/0", upgrade_configs: [{ upgrade_type: "websocket" }] },
    typed_per_filter_config: {
      [EXT_AUTHZ]: { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", config: {} },
    },
  };
  const manager = {
    "@type": `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "https-10443",
    common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" },
    http2_protocol_options: {
      initial_connection_window_size: 1_048_576,
      initial_stream_window_size: 65_536,
      max_concurrent_streams: 100,
    },
    merge_slashes: true,
    normalize_path: true,
    path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT",
    server_header_transformation: "PASS_THROUGH",
    use_remote_address: true,
    route_config: {
      name: "edge/gateway/https",
      ignore_port_in_host_matching: true,
      virtual_hosts: [{ name: "edge/gateway/https/www", domains: ["www.shop.example"], routes: [route] }],
    },
    http_filters: [
      {
        name: EXT_AUTHZ,
        disabled: true,
        typed_config: {
          "@type": `${FILTERS}.http.ext_authz.v3.ExtAuthz`,
          grpc_service: {
            envoy_grpc: { authority: "cellwall.shop.example:9191", cluster_name: PROVIDER },
            timeout: "10s",
          },
          transport_api_version: "V3",
        },
      },
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": `${FILTERS}.http.router.v3.Router`, suppress_envoy_headers: true },
      },
    ],
  };
  const listener = {
    name: "edge/gateway/https",
    address: { socket_address: { address: "127.0.0.1", port_value: ports.listener } },
    per_connection_buffer_limit_bytes: 32_768,
    filter_chains: [
      {
        filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
        transport_socket: {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type": `${TLS}.DownstreamTlsContext`,
            common_tls_context: {
              alpn_protocols: ["h2", "http/1.1"],
              tls_certificate_sds_secret_configs: [secrets.source("edge/www-tls")],
            },
            disable_stateful_session_resumption: true,
            disable_stateless_session_resumption: true,
          },
        },
      },
    ],
  };
  const provider = {
    name: PROVIDER,
    type: "STATIC",
    connect_timeout: "10s",
    lb_policy: "LEAST_REQUEST",
    load_assignment: loadAssignment(PROVIDER, {
      socket_address: { address: "127.0.0.1", port_value: ports.agent },
    }),
    typed_extension_protocol_options: HTTP2,
    transport_socket: {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": `${TLS}.UpstreamTlsContext`,
        common_tls_context: {
          tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
          tls_certificate_sds_secret_configs: [secrets.source("edge/gateway-identity")],
          combined_validation_context: {
            default_validation_context: {
              match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: AGENT } }],
            },
            validation_context_sds_secret_config: secrets.source("cellwall/edge-ca"),
          },
        },
        sni: "cellwall.shop.example",
      },
    },
  };
  const backend = {
    name: "httproute/edge/shop/rule/0",
    type: "STATIC",
    connect_timeout: "10s",
    load_assignment: loadAssignment("httproute/edge/shop/rule/0", { pipe: { path: app } }),
  };
  return { listeners: [listener], clusters: [provider, backend] };
}

describe("the service of Envoy Gateway's SecurityPolicy", () => {
  const issuer = createTestCa({ trustDomain: "shop.example" });
  const web = createTestCa({ trustDomain: "web.example" });
  let world: AgentWorld;
  let app: TestApp;
  let envoy: RunningEnvoy;
  let port = 0;

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    world = await startAgentWorld({
      trustDomain: "shop.example",
      node: "edge",
      listen: { host: "127.0.0.1", port: 0 },
      policies: (folder) => {
        writeFileSync(join(folder, "roots.pem"), issuer.rootPem);
        return policies(join(folder, "roots.pem"));
      },
    });
    const socket = join(world.folder, "app.sock");
    app = await http1App(socket);
    const secrets = fileSecrets(join(world.folder, "secrets"));
    secrets.certificate("edge/www-tls", web.issue({ uris: [], dns: ["www.shop.example"], sanCritical: true }));
    secrets.certificate("edge/gateway-identity", issuer.issue({ uris: [GATEWAY] }));
    secrets.roots("cellwall/edge-ca", world.rootPem);
    const agent = Number(new URL(world.agent.status().listen?.address ?? "").port);
    const adminSocket = join(world.folder, "admin.sock");
    const { path } = await locateEnvoy();
    const bootstrap = {
      node: { id: "envoy-edge-gateway-1", cluster: "edge/gateway" },
      admin: { address: { pipe: { path: adminSocket } } },
      static_resources: gatewayConfig(secrets, { listener: port, agent }, socket),
    };
    envoy = await runEnvoy({ path, bootstrap, adminSocket });
    await envoy.ready();
  });
  afterAll(async () => {
    await envoy?.stop();
    await app?.close();
    await world?.stop();
  });

  const send = (path: string, headers: readonly string[] = []) =>
    overTls(
      { host: "127.0.0.1", port, from: "127.0.0.1" },
      requestBytes(path, { host: ["www.shop.example"], headers }),
    );

  it("lets everybody in where a rule says so, as nobody, and the record says which gateway asked", async () => {
    const mark = world.records.length;
    expect((await send("/shop/42?q=1", [`x-cellwall-caller: ${GATEWAY}`])).status).toBe(200);
    const record = await world.decision(mark);
    expect(record).toMatchObject({
      workload: "edge/gateway",
      line: "edge/gateway/everybody-browses#GET|HEAD /shop/**",
      listenerKind: "edge",
      listenerPort: port,
      sidecar: GATEWAY,
    });
    expect(record.caller).toBeUndefined();
  });

  it.each<[string, string, readonly string[]]>([
    ["everything else", "/admin", []],
    ["an upgrade, which the gateway would carry", "/shop/live", ["connection: Upgrade", "upgrade: websocket"]],
  ])("denies %s, and the app receives nothing", async (_what, path, headers) => {
    const [mark, before] = [world.records.length, app.requests.length];
    const answer = await send(path, headers);
    expect(await world.decision(mark)).toMatchObject({ verdict: "deny", reason: "no-rule-matched" });
    expect([answer.status, app.requests.length]).toEqual([403, before]);
  });

  it("denies while the agent is away: `failOpen` is not set", async () => {
    await world.agent.stop();
    expect((await send("/shop/42")).status).toBe(403);
    expect(app.requests).toHaveLength(1);
  });
});
