import { mkdtempSync, rmSync } from "node:fs";
import { type ClientRequestArgs, Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/index.ts";
import { type Attributes, compile, decide, type PolicySet } from "../../policies/index.ts";
import { exportPolicies } from "../../policies/interop/index.ts";
import {
  buildSet,
  identityOf,
  type RuleInput,
  type SelectorInput,
  TRUST_DOMAIN,
} from "../../policies/testing/build.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { Random } from "../property/random.ts";
import { atDepth } from "../support/depth.ts";
import { freePorts } from "../support/free-ports.ts";
import { recordResult } from "../support/record-result.ts";

// The exported RBAC filters in a real Envoy, against `decide`, over random policies of the exportable subset.

const SETS = atDepth({ quick: 4, full: 20 });
const REQUESTS = atDepth({ quick: 400, full: 10_000 });
const PARTNER = "partner.example";
const CALLERS = [
  identityOf("web"),
  identityOf("cart"),
  identityOf("batch"),
  `spiffe://${PARTNER}/billing/x`,
  `spiffe://${PARTNER}/other`,
  identityOf("unknown"),
  undefined,
];

const seed = Date.now() % 2 ** 31;
const source = new Random(seed);
const random = (): number => source.next();
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const chance = (share: number): boolean => random() < share;
const some = <T>(list: readonly T[], most: number): readonly T[] =>
  Array.from({ length: 1 + Math.floor(random() * most) }, () => pick(list));
const distinct = <T>(list: readonly T[]): readonly T[] => [...new Set(list)];

const SELECTORS: readonly SelectorInput[] = [
  { workload: "web" },
  { workload: "cart" },
  { labels: { tier: { kind: "in", values: ["front", "mid"] } } },
  { labels: { tier: { kind: "absent" } } },
  { spiffe: `spiffe://${PARTNER}/billing/**` },
  { spiffe: `spiffe://${PARTNER}/other` },
  { trustDomain: PARTNER },
  { anyone: "authenticated" },
  { anyone: "anonymous" },
  { addresses: ["127.0.0.0/8"] },
  { workload: "web", addresses: ["10.0.0.0/8"] },
];
const PATTERNS = [
  "/**",
  "/",
  "/orders",
  "/orders/",
  "/orders/{id:int}",
  "/orders/{id}",
  "/orders/**",
  "/orders/{id}/items",
  "/orders/**/items",
  "/v{n:int}/orders",
  "/{day:date}",
  "/{s:slug}/x.y",
  "/h/{h:hex}",
  "/u/{u:uuid}",
  "/shop.Orders/Get",
];
const LINES: readonly string[] = [
  ...PATTERNS.flatMap((pattern) => [
    `GET ${pattern}`,
    `ANY ${pattern}`,
    `POST|PUT ${pattern}`,
    `HEAD|DELETE ${pattern}`,
  ]),
  "grpc shop.Orders/Get",
  "grpc shop.Orders/*",
];
const PATHS = [
  "/",
  "/orders",
  "/orders/",
  "/orders/42",
  "/orders/x",
  "/orders/42/",
  "/orders/42/items",
  "/orders/a/b/items",
  "/orders/items",
  "/v2/orders",
  "/vx/orders",
  "/2024-02-29",
  "/2023-02-29",
  "/2023-13-01",
  "/1900-02-29",
  "/2000-02-29/",
  "/a-b/x.y",
  "/a-/x.y",
  "/a-b/x_y",
  "/h/0aF",
  "/h/0g",
  "/u/123e4567-e89b-12d3-a456-426614174000",
  "/shop.Orders/Get",
  "/shop.Orders/Put",
  "/shop.Orders",
  "/orders?x=/orders/42",
  "/orders//42",
  "/orders/../admin",
  "/orders/.",
  "/orders/a;b",
  "/orders/a%2fb",
];
const HOSTS = ["orders.shop", "ORDERS.shop:8443", "other.example", "orders.shop.evil"];

function randomRule(ports: readonly number[], effect: "allow" | "deny"): RuleInput {
  const from = distinct(some(SELECTORS, 2));
  const requests = distinct(some(LINES, effect === "allow" ? 6 : 3));
  return {
    ...(effect === "deny" && chance(0.2) ? {} : { from }),
    ...(effect === "deny" && chance(0.05) ? {} : { requests }),
    ...(chance(0.1) ? { hosts: distinct(some(["orders.shop", "other.example"], 2)) } : {}),
    ...(chance(0.2) ? { ports: [pick(ports)] } : {}),
    ...(chance(0.4) ? { except: randomException() } : {}),
  };
}

function randomException(): NonNullable<RuleInput["except"]> {
  const [who, what] = pick([
    [true, false],
    [false, true],
    [true, true],
  ]);
  return {
    ...(who ? { from: distinct(some(SELECTORS, 2)) } : {}),
    ...(what ? { requests: distinct(some(LINES, 3)) } : {}),
  };
}

function randomSet(ports: readonly number[]): PolicySet {
  const rules = (effect: "allow" | "deny", count: number): RuleInput[] =>
    Array.from({ length: count }, () => randomRule(ports, effect));
  return buildSet({
    federated: [PARTNER],
    isolate: chance(0.3) ? ["zone"] : [],
    workloads: {
      orders: { labels: { zone: "a" } },
      web: { labels: { tier: "front", zone: "a" } },
      cart: { labels: { tier: "mid", zone: "b" } },
      batch: { labels: { zone: "a" } },
    },
    policies: [{ protects: "orders", allow: rules("allow", 12), deny: rules("deny", chance(0.5) ? 1 : 2) }],
  });
}

interface Site {
  readonly set: PolicySet;
  /** Two that ask for a certificate, and one in plaintext. */
  readonly ports: readonly number[];
}

const folder = mkdtempSync(join(tmpdir(), "cw-rbac-"));
const [own, partner] = [createTestCa({ trustDomain: TRUST_DOMAIN }), createTestCa({ trustDomain: PARTNER })];
const server = own.issue({ uris: [identityOf("orders")] });
const plain = new HttpAgent({ keepAlive: true, maxSockets: 8 });
const agents = new Map(
  CALLERS.flatMap((caller) => {
    if (caller === undefined) return [];
    const { chainPem, keyPem } = (caller.includes(PARTNER) ? partner : own).issue({ uris: [caller] });
    return [
      [
        caller,
        new Agent({ keepAlive: true, maxSockets: 4, cert: chainPem, key: keyPem, rejectUnauthorized: false }),
      ] as const,
    ];
  }),
);
let sites: readonly Site[] = [];
let envoy: RunningEnvoy | undefined;

function listenerOf(filters: readonly unknown[], port: number, secure: boolean): unknown {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "test",
    route_config: {
      virtual_hosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "" }, direct_response: { status: 200 } }] },
      ],
    },
    http_filters: [
      ...filters,
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  const tls = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { inline_string: server.chainPem }, private_key: { inline_string: server.keyPem } },
      ],
      validation_context: { trusted_ca: { inline_string: `${own.rootPem}\n${partner.rootPem}` } },
    },
  };
  return {
    name: `l${port}`,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [
      {
        filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }],
        ...(secure ? { transport_socket: { name: "envoy.transport_sockets.tls", typed_config: tls } } : {}),
      },
    ],
  };
}

beforeAll(async () => {
  const free = await freePorts(3 * SETS);
  sites = Array.from({ length: SETS }, (_, index) => {
    const ports = free.slice(3 * index, 3 * index + 3);
    return { ports, set: randomSet(ports) };
  });
  const listeners = sites.flatMap(({ set, ports }) => {
    const { text } = exportPolicies("envoy-rbac", set, { workload: "shop/orders" });
    const filters = (JSON.parse(text) as Record<string, readonly unknown[]>)["shop/orders"] ?? [];
    return ports.map((port, index) => listenerOf(filters, port, index < 2));
  });
  const adminSocket = join(folder, "admin.sock");
  const bootstrap = { admin: { address: { pipe: { path: adminSocket } } }, static_resources: { listeners } };
  const { path } = await locateEnvoy();
  envoy = await runEnvoy({ path, bootstrap, adminSocket });
  await envoy.ready();
}, 60_000);

afterAll(async () => {
  await envoy?.stop();
  for (const agent of [plain, ...agents.values()]) agent.destroy();
  rmSync(folder, { recursive: true, force: true });
});

interface Asked {
  readonly site: Site;
  readonly caller: string | undefined;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly contentType: string | undefined;
}

function randomRequest(): Asked {
  const site = pick(sites);
  const caller = pick(CALLERS);
  const method = pick(["GET", "HEAD", "POST", "POST", "PUT", "DELETE"]);
  return {
    site,
    caller,
    port: site.ports[caller === undefined ? 2 : Math.floor(random() * 2)] ?? 0,
    method,
    path: pick(PATHS),
    host: pick(HOSTS),
    contentType: pick([undefined, "application/json", "application/grpc", "application/grpc+proto"]),
  };
}

function attributesOf({ caller, port, method, path, host, contentType }: Asked): Attributes {
  return {
    ...(caller === undefined ? {} : { caller: parseSpiffeId(caller) }),
    destination: parseSpiffeId(identityOf("orders")),
    peerAddress: "127.0.0.1",
    listener: { port, kind: caller === undefined ? "edge" : "mesh" },
    http: {
      method,
      path,
      host,
      headers: new Map(contentType === undefined ? [] : [["content-type", [contentType]]]),
      protocol: "HTTP/1.1",
    },
    now: new Date(),
  };
}

function ask({ caller, port, method, path, host, contentType }: Asked): Promise<number> {
  const options: ClientRequestArgs = {
    host: "127.0.0.1",
    port,
    method,
    path,
    headers: { host, ...(contentType === undefined ? {} : { "content-type": contentType }) },
  };
  return new Promise((resolve, reject) => {
    const agent = caller === undefined ? undefined : agents.get(caller);
    const sent = agent === undefined ? httpRequest({ ...options, agent: plain }) : httpsRequest({ ...options, agent });
    sent.on("error", reject);
    sent.on("response", (response) => {
      response.resume();
      // A refused gRPC call is told by `grpc-status`; its HTTP status is 200.
      const refused = response.headers["grpc-status"] === "7";
      response.on("end", () => resolve(refused ? 403 : (response.statusCode ?? 0)));
    });
    sent.end();
  });
}

it(`a real Envoy with the exported filters decides ${REQUESTS} random requests as \`decide\` does`, {
  timeout: 600_000,
}, async () => {
  const counts = { allow: 0, deny: 0 };
  const indexes = new Map(sites.map((site) => [site, compile(site.set)]));
  const worker = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 1) {
      const asked = randomRequest();
      const index = indexes.get(asked.site);
      if (index === undefined) throw new Error("no such set");
      const { verdict, reason, line } = decide(index, attributesOf(asked));
      counts[verdict] += 1;
      const { site, ...request } = asked;
      const status = await ask(asked);
      expect(
        status === 200 ? "allow" : "deny",
        `seed ${seed}: ${JSON.stringify(request)} ${reason} ${line} status ${status}\n${JSON.stringify(site.set.policies, (_key, value) => (value instanceof Map ? [...value] : value))}`,
      ).toBe(verdict);
    }
  };
  await Promise.all(Array.from({ length: 8 }, () => worker(REQUESTS / 8)));
  console.log(`seed ${seed}: ${counts.allow} allowed, ${counts.deny} denied`);
  expect(Math.min(counts.allow, counts.deny)).toBeGreaterThan(REQUESTS / 40);
  recordResult("export-envoy-rbac", { seed, sets: SETS, requests: counts, disagreements: 0 });
});
