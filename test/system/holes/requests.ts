import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import {
  bytes,
  extension,
  get,
  got,
  type Hole,
  overTls,
  raw,
  reached,
  request,
  type Target,
  toApp,
  validation,
} from "./hole.ts";

const forwarded = (name: string, value: string) => ({
  attack: get("/public/", { [name]: value }),
  shows: got(({ headers }) => headers[name] === value),
});

const early = (...mutations: readonly object[]) => ({
  early_header_mutation_extensions: [
    extension("early", "http.early_header_mutation.header_mutation.v3.HeaderMutation", { mutations }),
  ],
});
const append = (key: string, value: string) => ({
  append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
});

/** How many streams Envoy lets a connection of HTTP/2 open. */
function streamsOf({ port }: Target): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", reject);
    session.once("remoteSettings", ({ maxConcurrentStreams = Number.POSITIVE_INFINITY }) => {
      session.close();
      resolve(String(maxConcurrentStreams));
    });
  });
}

const PATIENCE_MS = 12_000;

/** Headers that never end; what comes of the connection within the patience. */
function unfinished({ port }: Target): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("GET /public/ HTTP/1.1\r\nhost: a\r\n"));
    socket.on("error", () => {});
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    let text = "";
    socket.on("data", (data) => {
      text += String(data);
    });
    socket.on("end", () => socket.end());
    const startedMs = performance.now();
    socket.on("close", () => resolve(performance.now() - startedMs < PATIENCE_MS ? text : "open"));
  });
}

/** How requests are read, and which of the caller's words are believed. */
export const REQUEST_HOLES: readonly Hole[] = [
  { id: "path-not-normalized", attack: get("/public/../admin"), shows: got(({ url }) => url.includes("..")) },
  { id: "slashes-not-merged", attack: get("/public//admin"), shows: got(({ url }) => url.includes("//")) },
  { id: "escaped-slashes-kept", attack: get("/public/%2f..%2fadmin"), shows: reached },
  {
    id: "path-parameters-ignored",
    routes: { ignore_path_parameters_in_path_matching: true },
    host: {
      routes: [
        { match: { path: "/public/one" }, route: { cluster: "app" } },
        { match: { prefix: "/" }, direct_response: { status: 404 } },
      ],
    },
    attack: get("/public/one;x=1"),
    shows: reached,
  },
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
    hcm: early(append("x-client", "%DOWNSTREAM_PEER_URI_SAN%")),
    ...forwarded("x-client", "spiffe://shop.example/admin"),
  },
  {
    id: "caller-header-removed-late",
    host: { routes: [toApp()], request_headers_to_remove: ["x-cellwall-decision"] },
    attack: get("/public/"),
    shows: got(({ headers }) => headers["x-cellwall-decision"] === undefined),
  },
  {
    id: "peer-serial-kept",
    tls: validation({}),
    hcm: early({ remove: "x-cellwall-peer-serial" }, append("x-cellwall-peer-serial", "%DOWNSTREAM_PEER_SERIAL%")),
    attack: overTls((ca) => ca.issue({ uris: ["spiffe://shop.example/shop/web"] })),
    shows: got(({ headers }) => headers["x-cellwall-peer-serial"] !== undefined),
  },
  {
    id: "client-address-trusted",
    left: true,
    authz: "none",
    hcm: {
      original_ip_detection_extensions: [
        extension(
          "envoy.http.original_ip_detection.custom_header",
          "http.original_ip_detection.custom_header.v3.CustomHeaderConfig",
          {
            header_name: "x-real-ip",
          },
        ),
      ],
    },
    filters: (_check, router) => [
      extension("envoy.filters.http.rbac", "filters.http.rbac.v3.RBAC", {
        rules: {
          policies: {
            office: {
              permissions: [{ any: true }],
              principals: [{ remote_ip: { address_prefix: "9.9.9.9", prefix_len: 32 } }],
            },
          },
        },
      }),
      router,
    ],
    attack: get("/admin", { "x-real-ip": "9.9.9.9" }),
    shows: reached,
  },
  {
    id: "proxy-protocol-trusted",
    left: true,
    exposed: true,
    listener: {
      listener_filters: [
        extension("envoy.filters.listener.proxy_protocol", "filters.listener.proxy_protocol.v3.ProxyProtocol"),
      ],
    },
    attack: raw(`PROXY TCP4 9.9.9.9 127.0.0.1 1 1\r\n${request("GET /public/")}`),
    shows: ({ check }) => {
      const address = check?.attributes?.source?.address?.address;
      return address?.$case === "socketAddress" && address.value.address === "9.9.9.9";
    },
  },
  {
    id: "host-ambiguous",
    attack: get("/public/", { host: "admin.example.:80" }),
    shows: got(({ headers }) => headers.host !== "admin.example"),
  },
  {
    id: "custom-methods-allowed",
    hcm: { http_protocol_options: { allow_custom_methods: true } },
    attack: raw(request("FOO /public/")),
    // The test's app knows no such method either, but authorization was asked about it.
    shows: ({ checks }) => checks > 0,
  },
  {
    id: "chunked-length-allowed",
    hcm: { http_protocol_options: { allow_chunked_length: true } },
    attack: raw(`${request("POST /public/", "content-length: 5", "transfer-encoding: chunked")}0\r\n\r\n`),
    shows: reached,
  },
  {
    id: "invalid-messages-tolerated",
    hcm: { stream_error_on_invalid_http_message: true },
    attack: bytes(`GET /public/ HTTP/1.1\r\n\r\n${request("GET /public/")}`),
    // The connection goes on after a request without a host.
    shows: ({ status }) => /^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 200 /.test(status),
  },
  {
    id: "upgrades-enabled",
    left: true,
    hcm: { upgrade_configs: [{ upgrade_type: "websocket" }] },
    attack: async ({ port }) => {
      const key = "dGhlIHNhbXBsZSBub25jZQ==";
      const asked = [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        `sec-websocket-key: ${key}`,
      ];
      const text = ["GET /public/ HTTP/1.1", "host: a", ...asked, "", ""].join("\r\n");
      return firstOf(connect(port, "127.0.0.1"), text);
    },
    // From here on nobody decides about what is said.
    shows: ({ status }) => status.startsWith("HTTP/1.1 101 "),
  },
  {
    id: "unbounded-http2-streams",
    attack: streamsOf,
    shows: ({ status }) => Number(status) > 100,
  },
  { id: "slow-headers", full: true, attack: unfinished, shows: ({ status }) => status === "open" },
];

/** The first bytes of an answer, on a connection that would stay. */
function firstOf(socket: ReturnType<typeof connect>, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once("data", (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once("error", reject);
    socket.once("close", () => resolve("closed"));
    socket.write(text);
  });
}
