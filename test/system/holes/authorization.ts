import { ask } from "../clients.ts";
import {
  everything,
  extension,
  get,
  got,
  type Hole,
  type Outcome,
  raw,
  reached,
  request,
  socketCluster,
  toApp,
} from "./hole.ts";

const PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute";
const perRoute = (config: object) => ({
  typed_per_filter_config: { "envoy.filters.http.ext_authz": { "@type": PER_ROUTE, ...config } },
});
const DEAD = { grpc_service: { envoy_grpc: { cluster_name: "dead" }, timeout: "0.1s" } };
const BODY = "x".repeat(2000);
const post = request("POST /public/", `content-length: ${BODY.length}`) + BODY;

const headerSeen = ({ check }: Outcome, name: string): string | undefined =>
  check?.attributes?.request?.http?.headers.get(name);

/** Whether everything is authorized, and what authorization gets and may do. */
export const AUTHORIZATION_HOLES: readonly Hole[] = [
  { id: "no-authorization", authz: "none", attack: get("/admin"), shows: reached },
  {
    id: "authorization-disabled",
    filters: (check, router) => [{ ...check, disabled: true }, router],
    attack: get("/admin"),
    shows: reached,
  },
  {
    id: "authorization-sampled",
    authz: { filter_enabled: { default_value: { numerator: 0 } } },
    attack: get("/admin"),
    shows: reached,
  },
  {
    id: "authorization-gated",
    left: true,
    authz: {
      filter_enabled_metadata: { filter: "gate", path: [{ key: "ask" }], value: { string_match: { exact: "sure" } } },
    },
    attack: get("/admin"),
    shows: reached,
  },
  { id: "authorization-shadowed", since: 38, authz: { shadow_mode: true }, attack: get("/admin"), shows: reached },
  {
    id: "route-authorization-disabled",
    host: { routes: [everything({ route: { cluster: "app" } }, perRoute({ disabled: true }))] },
    attack: get("/admin"),
    shows: reached,
  },
  {
    id: "route-authorization-service",
    left: true,
    host: {
      routes: [
        everything(
          { route: { cluster: "app" } },
          perRoute({ check_settings: { grpc_service: { envoy_grpc: { cluster_name: "generous" }, timeout: "1s" } } }),
        ),
      ],
    },
    attack: get("/admin"),
    shows: (outcome) => reached(outcome) && outcome.checks === 0,
  },
  { id: "failure-mode-allow", authz: { failure_mode_allow: true, ...DEAD }, attack: get("/public/"), shows: reached },
  { id: "outage-looks-like-denial", authz: DEAD, attack: get("/public/"), shows: ({ status }) => status === "403" },
  {
    id: "no-catch-all-route",
    host: { domains: ["*"], routes: [{ match: { prefix: "/public" }, route: { cluster: "app" } }] },
    attack: get("/unknown"),
    // Nobody decided: an answer of the router and not of authorization.
    shows: ({ status }) => status === "404",
  },
  {
    id: "route-cache-cleared",
    authz: { clear_route_cache: true },
    host: {
      routes: [
        {
          match: { prefix: "/", headers: [{ name: "x-cellwall-decision", present_match: true }] },
          route: { cluster: "app", prefix_rewrite: "/admin/" },
        },
        toApp(),
      ],
    },
    attack: get("/public/"),
    shows: got(({ url }) => url.startsWith("/admin/")),
  },
  {
    id: "request-changed-after-authorization",
    left: true,
    filters: (check, router) => [
      check,
      extension("envoy.filters.http.lua", "filters.http.lua.v3.Lua", {
        default_source_code: {
          inline_string: 'function envoy_on_request(handle) handle:headers():replace(":path", "/admin") end',
        },
      }),
      router,
    ],
    attack: get("/public/"),
    shows: got(({ url }) => url === "/admin"),
  },
  {
    id: "answer-before-authorization",
    left: true,
    filters: (check, router) => [
      extension("envoy.filters.http.cache", "filters.http.cache.v3.CacheConfig", {
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.http.cache.simple_http_cache.v3.SimpleHttpCacheConfig",
        },
      }),
      check,
      router,
    ],
    host: {
      routes: [toApp()],
      response_headers_to_add: [{ header: { key: "cache-control", value: "public, max-age=60" } }],
    },
    attack: async ({ port }) => {
      const one = await ask({ port, path: "/public/" });
      const another = await ask({ port, path: "/public/", headers: { "x-deny": "1" } });
      return `${one.status} ${another.status}`;
    },
    shows: ({ status, checks }) => status === "200 200" && checks < 2,
  },
  {
    id: "path-rewritten",
    left: true,
    host: { routes: [toApp({ regex_rewrite: { pattern: { regex: "^/public/" }, substitution: "/admin/" } })] },
    attack: get("/public/"),
    shows: got(({ url }) => url === "/admin/"),
  },
  {
    id: "body-buffered",
    left: true,
    authz: { with_request_body: { max_request_bytes: 1024 } },
    attack: raw(post),
    // Refused without anybody having decided.
    shows: ({ status, checks }) => status.startsWith("HTTP/1.1 413 ") && checks === 0,
  },
  {
    id: "partial-body",
    left: true,
    authz: { with_request_body: { max_request_bytes: 1024, allow_partial_message: true } },
    attack: raw(post),
    shows: (outcome) => reached(outcome) && outcome.check?.attributes?.request?.http?.body.length === 1024,
  },
  {
    id: "joined-headers",
    attack: get("/public/", { "x-role": ["guest", "admin"] }),
    shows: (outcome) => headerSeen(outcome, "x-role") === "guest,admin",
  },
  {
    id: "secrets-to-authorization",
    attack: get("/public/", { authorization: "Basic c2VjcmV0" }),
    shows: ({ check }) => {
      const http = check?.attributes?.request?.http;
      const names = [...(http?.headers.keys() ?? []), ...(http?.headerMap?.headers.map(({ key }) => key) ?? [])];
      return names.includes("authorization");
    },
  },
  {
    id: "unrestricted-mutations",
    // The agent's answer gives this request another path.
    attack: get("/public/", { "x-mutate": "1" }),
    shows: got(({ url }) => url === "/admin"),
  },
  {
    id: "denials-charged-to-app",
    cluster: ({ folder }) => socketCluster("charged", `${folder}/app.sock`),
    host: { routes: [everything({ route: { cluster: "charged" } })] },
    attack: async ({ port, admin }) => {
      const { status } = await ask({ port, path: "/admin" });
      const counted = /upstream_rq_403: (\d+)/.exec(await admin("/stats?filter=cluster.charged.upstream_rq_403"));
      return `${status} ${counted?.[1] ?? 0}`;
    },
    shows: ({ status }) => status === "403 1",
  },
  {
    id: "denial-body-unbounded",
    // The agent denies this request at length.
    attack: async ({ port }) => {
      const { status, body } = await ask({ port, path: "/admin", headers: { "x-verbose": "1" } });
      return `${status} ${body.length}`;
    },
    shows: ({ status }) => status === "403 10000",
  },
];
