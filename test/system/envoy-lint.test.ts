import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { askAdmin, type EnvoyVersion, envoyVersion, locateEnvoy, runEnvoy } from "../../envoy/binary/index.ts";
import { lintConfig, type PatchTarget, readSource } from "../../envoy/lint/index.ts";
import { patchConfig } from "../../envoy/patch/index.ts";
import { parseSpiffeId, parseTrustDomain } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { depth } from "../support/depth.ts";
import { startTestAgent, type TestAgent } from "./agent.ts";
import { startHttpApp, startTcpApp, type TestApp } from "./app.ts";
import { converse, tlsTo } from "./clients.ts";
import { HOLES, type Hole, type Outcome } from "./holes.ts";
import { fetchOldEnvoy, OLD_ENVOYS } from "./old-envoys.ts";
import { freePorts } from "./ports.ts";

// One Envoy with a listener for each hole, as a user may have written it, and the same after `cellwall envoy patch`: each
// request goes through the first and not through the second.

const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
const ca = createTestCa({ trustDomain: "shop.example" });
const server = ca.issue({ uris: ["spiffe://shop.example/shop/orders"] });
const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
let ports: readonly number[] = [];
let agent: TestAgent;
/** What the last Envoy said of its configuration. */
let dump = "";
let apps: { readonly http: TestApp; readonly tcp: TestApp };

beforeAll(async () => {
  ports = await freePorts(HOLES.length);
  apps = { http: await startHttpApp(at("app.sock")), tcp: await startTcpApp(at("tcp.sock"), "hello") };
  agent = await startTestAgent(sockets, parseSpiffeId("spiffe://shop.example/shop/orders"), {
    svid: server.svid(),
    trustBundles: [ca.bundle()],
    serverFirst: new Map(),
  });
  agent.allow = () => /^\/public\//.test(agent.requests.at(-1)?.attributes?.request?.http?.path ?? "");
});

afterAll(async () => {
  agent?.stop();
  await Promise.all(Object.values(apps ?? {}).map((app) => app.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const any = (name: string, type: string, config: object = {}) => ({
  name,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.${type}`, ...config },
});
const pipe = (name: string, path: string, more: object = {}) => ({
  name,
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
  },
  ...more,
});
const GRPC = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const CHECK = {
  transport_api_version: "V3",
  grpc_service: { envoy_grpc: { cluster_name: "cellwall_authz" }, timeout: "1s" },
};

function userConfig(holes: readonly Hole[] = HOLES): string {
  const config = {
    admin: { address: { pipe: { path: at("admin.sock") } } },
    static_resources: {
      listeners: holes.map((hole, index) => listener(hole, ports[index] ?? 0)),
      clusters: [
        pipe("app", at("app.sock")),
        pipe("tcp", at("tcp.sock")),
        pipe("dead", at("dead.sock"), GRPC),
        pipe("cellwall_authz", sockets.authz, GRPC),
      ],
    },
  };
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
}

function listener(hole: Hole, port: number): object {
  const certificate = {
    certificate_chain: { inline_string: server.chainPem },
    private_key: { inline_string: server.keyPem },
  };
  const { common_tls_context = {}, ...tls }: { common_tls_context?: object } = hole.tls?.(ca) ?? {};
  const context = { ...tls, common_tls_context: { tls_certificates: [certificate], ...common_tls_context } };
  const transport = any("envoy.transport_sockets.tls", "transport_sockets.tls.v3.DownstreamTlsContext", context);
  return {
    name: hole.id,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [
      { filters: hole.tcp ? tcpFilters(hole) : [manager(hole)], ...(hole.tls ? { transport_socket: transport } : {}) },
    ],
  };
}

function tcpFilters({ authz, id }: Hole): readonly object[] {
  const check = any("envoy.filters.network.ext_authz", "filters.network.ext_authz.v3.ExtAuthz", {
    stat_prefix: id,
    ...CHECK,
  });
  const proxy = any("envoy.filters.network.tcp_proxy", "filters.network.tcp_proxy.v3.TcpProxy", {
    stat_prefix: id,
    cluster: "tcp",
  });
  return authz === "none" ? [proxy] : [check, proxy];
}

function manager({ id, hcm, authz = {}, host }: Hole): object {
  const check = any("envoy.filters.http.ext_authz", "filters.http.ext_authz.v3.ExtAuthz", {
    ...CHECK,
    ...(authz === "none" ? {} : authz),
  });
  const router = any("envoy.filters.http.router", "filters.http.router.v3.Router");
  const routes = [{ match: { prefix: "/" }, route: { cluster: "app" } }];
  return any(
    "envoy.filters.network.http_connection_manager",
    "filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: id,
      route_config: { name: id, virtual_hosts: [{ name: id, domains: ["*"], routes, ...host }] },
      http_filters: authz === "none" ? [router] : [check, router],
      ...hcm,
    },
  );
}

/** Runs an Envoy on a configuration and makes every attack on it. */
async function attacked(path: string, text: string): Promise<ReadonlyMap<string, Outcome>> {
  const envoy = await runEnvoy({ path, bootstrap: parse(text), adminSocket: at("admin.sock") });
  try {
    await envoy.ready();
    dump = (await askAdmin(at("admin.sock"), "/config_dump")).body;
    const outcomes = new Map<string, Outcome>();
    for (const [index, hole] of HOLES.entries()) {
      apps.http.received.length = 0;
      agent.requests.length = 0;
      const status = await hole.attack(ports[index] ?? 0, ca).catch((error: unknown) => String(error));
      outcomes.set(hole.id, { status, app: apps.http.received.at(-1), checks: agent.requests.length });
    }
    return outcomes;
  } finally {
    await envoy.stop();
  }
}

function targetFor(envoyVersion: EnvoyVersion): PatchTarget {
  const mesh: PatchTarget["mesh"] = {
    trustDomain: parseTrustDomain("shop.example"),
    defaultMode: "enforce",
    isolate: [],
    unregistered: "deny",
    federated: [],
    jwtProviders: new Map(),
  };
  return {
    workload: "shop/orders",
    mesh,
    sockets,
    envoyVersion,
    mtls: false,
    keepOverrideHeaders: [],
    withheld: ["authorization", "cookie", "proxy-authorization"],
  };
}

const versions = depth === "full" ? ["pinned", ...OLD_ENVOYS.keys()] : ["pinned"];

describe.each(versions)("on Envoy %s", (version) => {
  let before: ReadonlyMap<string, Outcome>;
  let after: ReadonlyMap<string, Outcome>;
  let dumped: ReadonlySet<string>;
  let found: { readonly before: ReadonlySet<string>; readonly after: ReadonlySet<string> };

  beforeAll(async () => {
    const path = version === "pinned" ? (await locateEnvoy()).path : await fetchOldEnvoy(version, folder);
    const target = targetFor(await envoyVersion(path));
    const text = userConfig();
    const patched = patchConfig(readSource("envoy.yaml", text), target);
    const ids = (one: string) =>
      new Set(
        lintConfig(readSource("envoy.yaml", one)).map(
          ({ id, message }) => `${/listener `([^`]*)`/.exec(message)?.[1]} ${id}`,
        ),
      );
    found = { before: ids(text), after: ids(patched.text) };
    before = await attacked(path, text);
    dumped = ids(dump);
    after = await attacked(path, patched.text);
  });

  it.each(HOLES.map(({ id }) => id))("%s lets a request through, lint finds it, and a patch closes it", (id) => {
    const hole = HOLES.find((one) => one.id === id);
    const [open, closed] = [before.get(id), after.get(id)];
    if (hole === undefined || open === undefined || closed === undefined) throw new Error("no outcome");
    expect(hole.shows(open), JSON.stringify(open)).toBe(true);
    expect(found.before).toContain(`${id} ${id}`);
    if (hole.left || (version === "1.36.4" && id === "banner-before-authorization")) return;
    expect(found.after).not.toContain(`${id} ${id}`);
    expect(hole.shows(closed), JSON.stringify(closed)).toBe(false);
  });

  it("finds in what the running Envoy says of itself all that is in the file", () => {
    expect([...found.before].filter((one) => !dumped.has(one))).toEqual([]);
  });

  it("still lets good requests through where the patch has been", () => {
    const names = [
      "path-not-normalized",
      "envoy-headers-trusted",
      "request-id-trusted",
      "override-headers-kept",
      "caller-header-forgeable",
      "client-certificate-header-trusted",
      "host-ambiguous",
    ];
    expect(names.filter((id) => after.get(id)?.status !== (id === "path-not-normalized" ? "403" : "200"))).toEqual([]);
  });
});

describe("a plaintext listener patched with mutual TLS", () => {
  it("admits a workload of the mesh by its identity, and nobody else", async () => {
    const { path, version } = await locateEnvoy();
    const plain: Hole = { id: "plain", authz: "none", attack: async () => "", shows: () => false };
    const target = { ...targetFor(version), mtls: true };
    const { text, left } = patchConfig(readSource("envoy.yaml", userConfig([plain])), target);
    expect(left).toEqual([]);
    const envoy = await runEnvoy({ path, bootstrap: parse(text), adminSocket: at("admin.sock") });
    const [port = 0] = ports;
    const request = "GET /public/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    try {
      await envoy.ready();
      agent.checks.length = 0;
      const web = await converse(tlsTo(port, ca.issue({ uris: ["spiffe://shop.example/shop/web"] })), request);
      expect(web.text).toMatch(/^HTTP\/1\.1 200 /);
      expect(agent.checks.at(-1)).toMatchObject({ ok: true, attributes: { listener: { kind: "mesh", port } } });
      const foreign = createTestCa({ trustDomain: "shop.example" }).issue({ uris: ["spiffe://shop.example/shop/web"] });
      const others = [tlsTo(port), tlsTo(port, foreign), connect(port, "127.0.0.1")];
      const answers = await Promise.all(others.map((socket) => converse(socket, request)));
      expect(answers.map((one) => one.text)).toEqual(["", "", ""]);
      expect(agent.checks.length).toBe(1);
    } finally {
      await envoy.stop();
    }
  });
});
