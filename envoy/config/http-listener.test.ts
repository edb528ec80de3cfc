import { describe, expect, it } from "vitest";
import type { Listen } from "../../policies/index.ts";
import { all, names, only, part, render } from "./testing/look.ts";
import { listen, meshOf, sidecar, workload } from "./testing/sidecars.ts";

function rendered(change: Partial<Listen> = {}) {
  const web = workload("web", sidecar({ listens: [listen(change)] }));
  return render({ workload: web, set: meshOf([web]) });
}
const inbound = (change: Partial<Listen> = {}) =>
  part(rendered(change), "listeners", change.clients === "public" ? "edge_8443" : "mesh_8443");

describe.each([
  ["mesh", {}],
  ["edge", { clients: "public" }],
] as const)("an http listener of the %s kind", (kind, change) => {
  const config = inbound(change);

  it("normalises paths, refuses what cannot be, and refuses underscores", () => {
    expect(only(config, "normalize_path")).toBe(true);
    expect(only(config, "merge_slashes")).toBe(true);
    expect(only(config, "path_with_escaped_slashes_action")).toBe("REJECT_REQUEST");
    expect(only(config, "headers_with_underscores_action")).toBe("REJECT_REQUEST");
    expect(only(config, "strip_any_host_port")).toBe(true);
    expect(only(config, "strip_trailing_host_dot")).toBe(true);
  });

  it("gives every request a route, because one without would skip authorization", () => {
    expect(only(config, "domains")).toEqual(["*"]);
    const routes = only(config, "routes");
    expect(Array.isArray(routes) && routes.at(-1)).toMatchObject({ match: { prefix: "/" } });
    expect(Array.isArray(routes) && Object.keys(routes.at(-1)?.match ?? {})).toEqual(["prefix"]);
  });

  it("tells Check the same on each route, and turns authorization off on none", () => {
    const contexts = all(config, "context_extensions");
    expect(contexts).toHaveLength(2);
    for (const context of contexts) {
      expect(context).toMatchObject({ "cellwall.listener": kind, "cellwall.port": "8443" });
    }
    expect(all(config, "disabled")).toEqual([]);
  });

  it("authorizes before the serial is removed, and routes last", () => {
    const filters = only(config, "http_filters");
    const order = Array.isArray(filters) ? filters.map(({ name }) => name) : [];
    expect(order).toEqual([
      "envoy.filters.http.ext_authz",
      "envoy.filters.http.header_mutation",
      "envoy.filters.http.router",
    ]);
    expect(only(only(config, "request_mutations"), "remove")).toBe("x-cellwall-peer-serial");
  });

  it("bounds connections and streams in time", () => {
    for (const key of ["max_connection_duration", "max_stream_duration", "idle_timeout", "request_headers_timeout"]) {
      expect(all(config, key)).toHaveLength(1);
    }
    expect(only(config, "drain_timeout")).toBe("2s");
  });

  it("upgrades nothing unless it is told to", () => {
    expect(all(config, "upgrade_configs")).toEqual([]);
    expect(all(config, "allow_connect")).toEqual([]);
    const upgrading = inbound({ ...change, upgrades: ["websocket"] });
    expect(only(upgrading, "upgrade_configs")).toEqual([{ upgrade_type: "websocket" }]);
    expect(only(upgrading, "allow_connect")).toBe(true);
  });

  it("reports what it refuses before Check", () => {
    expect(all(config, "log_name")).toContain("cellwall-refused");
  });
});

describe("identity", () => {
  it("comes from the peer's certificate on a mesh listener", () => {
    expect(only(inbound(), "forward_client_cert_details")).toBe("SANITIZE_SET");
    expect(all(inbound(), "header").length).toBe(2);
    expect(all(inbound(), "log_name")).toContain("cellwall-tls");
  });

  it("does not exist on an edge listener, in whatever header", () => {
    const edge = inbound({ clients: "public" });
    expect(only(edge, "forward_client_cert_details")).toBe("SANITIZE");
    expect(all(edge, "header")).toEqual([]);
    expect(all(edge, "transport_socket")).toEqual([]);
  });
});

describe("an edge listener's client address", () => {
  it("is the peer's where the listener has a certificate, and the balancer's word where it has none", () => {
    expect(only(inbound({ clients: "public", serverCertificate: "/etc/tls" }), "xff_num_trusted_hops")).toBe(0);
    expect(only(inbound({ clients: "public" }), "xff_num_trusted_hops")).toBe(1);
  });
});

describe("the way to the app", () => {
  const clusters = (change: Partial<Listen>) =>
    names(rendered(change), "clusters").filter((name) => name.startsWith("app"));
  it("is HTTP/2 for gRPC and HTTP/1.1 for all else, unless the app's protocol is said", () => {
    expect(clusters({})).toEqual(["app_8443", "app_8443_http2"]);
    expect(clusters({ appProtocol: "http1" })).toEqual(["app_8443"]);
    expect(all(part(rendered({ appProtocol: "http1" }), "clusters", "app_8443"), "http_protocol_options")).toHaveLength(
      1,
    );
    expect(
      all(part(rendered({ appProtocol: "http2" }), "clusters", "app_8443"), "http2_protocol_options"),
    ).toHaveLength(1);
  });

  it.each([
    ["application/grpc", true],
    ["application/grpc+proto", true],
    ["application/grpc;charset=utf-8", true],
    ["application/grpc-web", false],
    ["application/grpcx", false],
    ["text/application/grpc", false],
  ])("takes %s for gRPC: %s", (contentType, expected) => {
    const matcher = only(only(inbound(), "headers"), "regex");
    // Envoy matches a whole value.
    expect(new RegExp(`^(?:${matcher})$`).test(contentType)).toBe(expected);
  });
});
