import { describe, expect, it } from "vitest";
import type { Sidecar } from "../../policies/index.ts";
import { parseEnvoyVersion } from "../binary/index.ts";
import { renderSidecar } from "./render-sidecar.ts";
import { all, NEWEST, names, only, part, render } from "./testing/look.ts";
import { call, listen, meshOf, sidecar, workload } from "./testing/sidecars.ts";

const orders = workload("orders", sidecar({ listens: [listen(), listen({ port: 5432, protocol: "tcp" })] }));
const calls = [call("orders", 8443, "unix:/run/a.sock"), call("orders", 5432, "unix:/run/b.sock")];
const full: Partial<Sidecar> = {
  listens: [
    listen({ upgrades: ["websocket"] }),
    listen({ port: 443, clients: "public", serverCertificate: "/etc/tls" }),
    listen({ port: 5432, protocol: "tcp" }),
    listen({ port: 3306, protocol: "tcp", speaksFirst: "server" }),
  ],
  calls,
  probes: { port: 15021, paths: ["/healthz"] },
};
function rendered(change: Partial<Sidecar> = full, version = "1.40.0") {
  const web = workload("web", sidecar(change));
  return render({ workload: web, set: meshOf([web, orders]), envoyVersion: parseEnvoyVersion(version) });
}

describe("renderSidecar", () => {
  it("renders every listener and cluster, in the order of the workload", () => {
    expect(names(rendered(), "listeners")).toEqual([
      "mesh_8443",
      "edge_443",
      "mesh_5432",
      "mesh_3306",
      "probes",
      "to_shop_orders_8443",
      "to_shop_orders_5432",
    ]);
    expect(names(rendered(), "clusters").slice(-2)).toEqual(["cellwall_authz", "cellwall_envoy"]);
  });

  it("gives equal text for equal input", () => {
    expect(JSON.stringify(rendered())).toBe(JSON.stringify(rendered()));
  });

  it("leads every reference to a cluster that is there", () => {
    const config = rendered();
    const there = new Set(names(config, "clusters"));
    const wanted = [...all(config, "cluster"), ...all(config, "cluster_name")].filter((name) => name !== "cellwall");
    expect(wanted.length).toBeGreaterThan(10);
    expect(wanted.filter((name) => !there.has(String(name)))).toEqual([]);
  });

  it("names the node as the agent knows it, and gives the agent's sockets", () => {
    expect(rendered().node).toEqual({ id: "shop/web", cluster: "cellwall" });
    expect(all(part(rendered(), "clusters", "cellwall_authz"), "path")).toEqual(["/run/cw/authz.sock"]);
    expect(all(part(rendered(), "clusters", "cellwall_envoy"), "path")).toEqual(["/run/cw/envoy.sock"]);
  });

  it("shares no port with another process, and bounds what a connection may buffer", () => {
    const config = rendered();
    const count = names(config, "listeners").length;
    expect(all(config, "enable_reuse_port")).toEqual(Array(count).fill(false));
    expect(all(config, "per_connection_buffer_limit_bytes")).toHaveLength(count);
    expect(all(config, "max_heap_size_bytes")).toHaveLength(1);
    expect(all(config, "max_active_downstream_connections")).toHaveLength(1);
  });

  it("has an admin interface for its owner only, which changes nothing, or none", () => {
    expect(rendered().admin).toMatchObject({ address: { pipe: { mode: 0o600 } } });
    expect(JSON.stringify(all(rendered(), "allow_paths"))).not.toMatch(/quitquitquit|runtime|logging|cpuprofiler/);
    const web = workload("web", sidecar());
    const sockets = { authz: "/a", envoy: "/b" };
    const without = renderSidecar({ workload: web, set: meshOf([web]), envoyVersion: NEWEST, sockets });
    expect(without).not.toHaveProperty("admin");
  });

  it("has no field that its version does not know", () => {
    const http: Partial<Sidecar> = { listens: [listen()], calls, probes: { port: 1, paths: ["/a"] } };
    for (const key of ["allow_paths", "enforce_response_header_limits", "upstream_connect_mode"]) {
      expect(all(rendered(http, "1.36.10"), key)).toEqual([]);
      expect(all(rendered(full, "1.37.6"), key).length).toBeGreaterThan(0);
    }
  });
});

describe("inbound listeners", () => {
  const boundTo = (address: string, bindAddress?: string) => {
    const web = workload("web", sidecar({ address, listens: [listen()] }));
    const config = render({ workload: web, set: meshOf([web]), ...(bindAddress === undefined ? {} : { bindAddress }) });
    return only(only(part(config, "listeners", "mesh_8443"), "socket_address"), "address");
  };
  it("are bound to the workload's own address, or to all where that is a name", () => {
    expect(boundTo("10.1.2.3")).toBe("10.1.2.3");
    expect(boundTo("localhost")).toBe("127.0.0.1");
    expect(boundTo("web.shop.svc")).toBe("0.0.0.0");
    expect(boundTo("web.shop.svc", "127.0.0.1")).toBe("127.0.0.1");
  });
});

describe("a mesh whose certificates another authority issues", () => {
  const bundle = { file: "/etc/certs/root-cert.pem" };
  const external = (change: Partial<Sidecar>, certificates?: { readonly sds: string }) => {
    const web = workload("web", sidecar(change));
    const identity = { bundle, ...(certificates === undefined ? {} : { certificates }) };
    return render({ workload: web, set: meshOf([web], { identity }) });
  };

  it("has sidecars that take theirs from that authority's socket", () => {
    const config = external({ listens: [listen()] }, { sds: "unix:/run/spire/agent.sock" });
    expect(all(part(config, "clusters", "cellwall_identity"), "path")).toEqual(["/run/spire/agent.sock"]);
  });

  it("has no sidecars that cannot know where theirs are, but for those that need none", () => {
    expect(() => external({ listens: [listen()] })).toThrow(
      expect.objectContaining({ code: "ERR_ENVOY_CONFIG", hint: expect.stringContaining("certificates") }),
    );
    expect(names(external({ listens: [listen({ clients: "public" })] }), "clusters")).not.toContain(
      "cellwall_identity",
    );
  });
});

describe("what cannot be rendered", () => {
  it("is a workload without a sidecar", () => {
    const bare = workload("bare");
    expect(() => render({ workload: bare, set: meshOf([bare]) })).toThrow(
      expect.objectContaining({ code: "ERR_ENVOY_CONFIG", message: expect.stringContaining("mesh.yaml:3:5: ") }),
    );
  });

  it.each<[string, Partial<Sidecar>]>([
    ["a port", { listens: [listen(), listen({ protocol: "tcp" })] }],
    ["a port and the probes'", { listens: [listen()], probes: { port: 8443, paths: ["/a"] } }],
    ["a call", { calls: [call("orders", 8443, "unix:/a"), call("orders", 8443, "unix:/b")] }],
    ["a local address", { calls: [call("orders", 8443, "unix:/a"), call("orders", 5432, "unix:/a")] }],
  ])("is %s twice", (_what, change) => {
    expect(() => rendered(change)).toThrow(expect.objectContaining({ message: expect.stringContaining("twice") }));
  });

  it("is anything for an Envoy older than 1.36", () => {
    expect(() => rendered({}, "1.35.9")).toThrow(expect.objectContaining({ code: "ERR_ENVOY_TOO_OLD" }));
  });
});
