import { describe, expect, it } from "vitest";
import type { Listen } from "../../policies/index.ts";
import { all, only, part, render } from "./testing/look.ts";
import { listen, meshOf, sidecar, workload } from "./testing/sidecars.ts";

function rendered(change: Partial<Listen> = {}, version = { major: 1, minor: 37, patch: 6 }) {
  const db = workload(
    "db",
    sidecar({ listens: [listen({ protocol: "tcp", port: 5432, app: "127.0.0.1:5433", ...change })] }),
  );
  return render({ workload: db, set: meshOf([db]), envoyVersion: version });
}
const inbound = (change: Partial<Listen> = {}) =>
  part(rendered(change), "listeners", change.clients === "public" ? "edge_5432" : "mesh_5432");

describe("a tcp listener", () => {
  it("connects to a client-first app at the client's first bytes, after Check", () => {
    expect(only(inbound(), "upstream_connect_mode")).toBe("ON_DOWNSTREAM_DATA");
    expect(only(inbound(), "max_early_data_bytes")).toBeGreaterThan(0);
  });

  it("connects to a server-first app after a handshake that only named callers pass", () => {
    const config = inbound({ speaksFirst: "server" });
    expect(only(config, "upstream_connect_mode")).toBe("ON_DOWNSTREAM_TLS_HANDSHAKE");
    expect(only(config, "validation_context_sds_secret_config")).toMatchObject({ name: "tcp/5432" });
    expect(all(config, "exact")).toEqual(["urn:cellwall:nobody"]);
  });

  it.each(["client", "server"] as const)(
    "asks Check before the proxy, and reports failed handshakes (%s first)",
    (speaksFirst) => {
      const config = inbound({ speaksFirst });
      const filters = only(config, "filters");
      expect(Array.isArray(filters) && filters.map(({ name }) => name)).toEqual([
        "envoy.filters.network.ext_authz",
        "envoy.filters.network.tcp_proxy",
      ]);
      expect(all(config, "log_name")).toEqual(["cellwall-tls", "cellwall-open"]);
      expect(only(config, "require_client_certificate")).toBe(true);
    },
  );

  it("bounds connections in time", () => {
    expect(only(inbound(), "max_downstream_connection_duration")).toBe("3600s");
    expect(only(inbound(), "idle_timeout")).toBe("600s");
  });

  it.each(["client", "server"] as const)("is refused to an Envoy that cannot wait (%s first)", (speaksFirst) => {
    expect(() => rendered({ speaksFirst }, { major: 1, minor: 36, patch: 10 })).toThrow(
      expect.objectContaining({
        code: "ERR_ENVOY_TOO_OLD",
        message: expect.stringMatching(/^mesh\.yaml:3:5: .*1\.36\.10/),
      }),
    );
  });

  it("can be public with a client-first app, and not with one that speaks first to the nameless", () => {
    const config = inbound({ clients: "public" });
    expect(all(config, "transport_socket")).toEqual([]);
    expect(only(config, "upstream_connect_mode")).toBe("ON_DOWNSTREAM_DATA");
    expect(() => inbound({ clients: "public", speaksFirst: "server" })).toThrow(
      expect.objectContaining({ code: "ERR_ENVOY_CONFIG", message: expect.stringContaining("speaks first") }),
    );
  });
});
