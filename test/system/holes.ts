import { connect } from "node:net";
import { createTestCa, type TestCa } from "../../spiffe/testing/index.ts";
import type { Received } from "./app.ts";
import { ask, converse, tlsTo } from "./clients.ts";

/** What an attack on a listener came to: its answer, and what the app received. */
export interface Outcome {
  readonly status: string;
  readonly app: Received | undefined;
  /** How often authorization was asked. */
  readonly checks: number;
}

/** A hole of a listener, and a request that goes through it. */
export interface Hole {
  readonly id: string;
  /** Parts of the listener: settings of the connection manager, of the authorization filter, routes, TLS. */
  readonly hcm?: object;
  readonly authz?: object | "none";
  readonly host?: object;
  readonly tls?: (ca: TestCa) => object;
  readonly tcp?: true;
  /** Of a hole that only the user can close. */
  readonly left?: true;
  attack(port: number, ca: TestCa): Promise<string>;
  /** Whether the outcome shows the hole. */
  shows(outcome: Outcome): boolean;
}

const get =
  (path: string, headers: Readonly<Record<string, string>> = {}) =>
  async (port: number) =>
    String((await ask({ port, path, headers })).status);

/** Bytes as they are; the answer's first line. */
const raw = (bytes: string) => async (port: number) => {
  const { text } = await converse(connect(port, "127.0.0.1"), bytes);
  return text.split("\r\n")[0] ?? "";
};

/** A request over TLS with a certificate of these names, of the mesh's authority or of nobody's. */
const overTls = (issue: (ca: TestCa) => Parameters<typeof tlsTo>[1]) => async (port: number, ca: TestCa) => {
  const { text, failure } = await converse(
    tlsTo(port, issue(ca)),
    "GET /public/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  );
  return text.split("\r\n")[0] || (failure ?? "closed");
};

const got =
  (fits: (request: Received) => boolean) =>
  ({ app }: Outcome) =>
    app !== undefined && fits(app);
const reached = got(() => true);

const forwarded = (name: string, value: string) => ({
  attack: get("/public/", { [name]: value }),
  shows: got(({ headers }) => headers[name] === value),
});

const validation = (context: object) => (ca: TestCa) => ({
  require_client_certificate: true,
  common_tls_context: { validation_context: { trusted_ca: { inline_string: ca.rootPem }, ...context } },
});

const append = {
  header: { key: "x-client", value: "%DOWNSTREAM_PEER_URI_SAN%" },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
};
const PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute";

const ROUTER = {
  name: "envoy.filters.http.router",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
};

/** Envoy's own rules, which let everything below a path through and nothing else. */
const rbacAllowing = (prefix: string): object => ({
  name: "envoy.filters.http.rbac",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    rules: { policies: { p: { permissions: [{ url_path: { path: { prefix } } }], principals: [{ any: true }] } } },
  },
});

/** The holes that are about traffic. The agent of the test allows `/public/` and `/` and denies everything else. */
export const HOLES: readonly Hole[] = [
  { id: "path-not-normalized", attack: get("/public/../admin"), shows: got(({ url }) => url.includes("..")) },
  { id: "slashes-not-merged", attack: get("/public//admin"), shows: got(({ url }) => url.includes("//")) },
  { id: "escaped-slashes-kept", attack: get("/public/%2f..%2fadmin"), shows: reached },
  { id: "underscores-in-headers", ...forwarded("x_role", "admin") },
  {
    id: "client-certificate-header-trusted",
    hcm: { forward_client_cert_details: "ALWAYS_FORWARD_ONLY" },
    ...forwarded("x-forwarded-client-cert", "URI=spiffe://shop.example/admin"),
  },
  { id: "envoy-headers-trusted", ...forwarded("x-envoy-original-path", "/other") },
  { id: "request-id-trusted", ...forwarded("x-request-id", "11111111-1111-4111-8111-111111111111") },
  { id: "override-headers-kept", ...forwarded("x-http-method-override", "DELETE") },
  {
    id: "caller-header-forgeable",
    hcm: {
      early_header_mutation_extensions: [
        {
          name: "early",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations: [{ append }],
          },
        },
      ],
    },
    ...forwarded("x-client", "spiffe://shop.example/admin"),
  },
  {
    id: "host-ambiguous",
    attack: get("/public/", { host: "admin.example.:80" }),
    shows: got(({ headers }) => headers.host !== "admin.example"),
  },
  {
    id: "custom-methods-allowed",
    hcm: { http_protocol_options: { allow_custom_methods: true } },
    attack: raw("FOO /public/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    // The test's app knows no such method either, but authorization was asked about it.
    shows: ({ checks }) => checks > 0,
  },
  {
    id: "chunked-length-allowed",
    hcm: { http_protocol_options: { allow_chunked_length: true } },
    attack: raw(
      "POST /public/ HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n",
    ),
    shows: reached,
  },
  {
    id: "route-authorization-disabled",
    host: {
      routes: [
        {
          match: { prefix: "/" },
          route: { cluster: "app" },
          typed_per_filter_config: { "envoy.filters.http.ext_authz": { "@type": PER_ROUTE, disabled: true } },
        },
      ],
    },
    attack: get("/admin"),
    shows: reached,
  },
  { id: "no-authorization", authz: "none", attack: get("/admin"), shows: reached },
  {
    id: "authorization-sampled",
    authz: { filter_enabled: { default_value: { numerator: 0 } } },
    attack: get("/admin"),
    shows: reached,
  },
  {
    id: "failure-mode-allow",
    authz: { failure_mode_allow: true, grpc_service: { envoy_grpc: { cluster_name: "dead" }, timeout: "0.1s" } },
    attack: get("/public/"),
    shows: reached,
  },
  {
    id: "outage-looks-like-denial",
    authz: { grpc_service: { envoy_grpc: { cluster_name: "dead" }, timeout: "0.1s" } },
    attack: get("/public/"),
    shows: ({ status }) => status === "403",
  },
  {
    id: "no-catch-all-route",
    host: { domains: ["*"], routes: [{ match: { prefix: "/public" }, route: { cluster: "app" } }] },
    attack: get("/unknown"),
    // Nobody decided: an answer of the router and not of authorization.
    shows: ({ status }) => status === "404",
  },
  {
    id: "rbac-path-unguarded",
    left: true,
    hcm: { normalize_path: true, http_filters: [rbacAllowing("/public/"), ROUTER] },
    attack: get("/public/%2e%2e;x/admin"),
    shows: got(({ url }) => url.startsWith("/public/..;x")),
  },
  {
    id: "client-certificate-optional",
    tls: (ca) => ({ common_tls_context: { validation_context: { trusted_ca: { inline_string: ca.rootPem } } } }),
    attack: overTls(() => undefined),
    shows: reached,
  },
  {
    id: "untrusted-certificates-accepted",
    tls: validation({
      trust_chain_verification: "ACCEPT_UNTRUSTED",
      match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://shop.example/" } }],
    }),
    attack: overTls(() =>
      createTestCa({ trustDomain: "shop.example" }).issue({ uris: ["spiffe://shop.example/shop/web"] }),
    ),
    shows: reached,
  },
  {
    id: "certificate-names-unchecked",
    tls: validation({}),
    attack: overTls((ca) => ca.issue({ dns: ["web.shop.example"] })),
    shows: reached,
  },
  {
    id: "trust-domain-prefix-open",
    tls: validation({
      match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://shop.example" } }],
    }),
    attack: overTls((ca) => ca.issue({ uris: ["spiffe://shop.example.evil/web"] })),
    shows: reached,
  },
  {
    id: "banner-before-authorization",
    tcp: true,
    attack: async (port) => (await converse(connect(port, "127.0.0.1"), "x")).text,
    shows: ({ status }) => status.includes("hello"),
  },
  {
    id: "no-connection-authorization",
    tcp: true,
    authz: "none",
    attack: async (port) => (await converse(connect(port, "127.0.0.1"), "echo", "echo")).text,
    shows: ({ status }) => status.includes("echo"),
  },
];
