import { describe, expect, it } from "vitest";
import { connectionAuthorization, httpAuthorization, listenerContext } from "./ext-authz.ts";
import { all, NEWEST, only } from "./testing/look.ts";

const filter = (change: Partial<Parameters<typeof httpAuthorization>[0]> = {}) =>
  httpAuthorization({ envoyVersion: NEWEST, withheld: ["cookie"], tokens: false, ...change });

describe.each([
  ["http", filter()],
  ["network", connectionAuthorization("db", true)],
])("the %s authorization filter", (_kind, config) => {
  it("denies when the agent cannot be asked", () => {
    expect(only(config, "failure_mode_allow")).toBe(false);
    expect(all(config, "failure_mode_allow_header_add")).toEqual([]);
    expect(all(config, "filter_enabled")).toEqual([]);
  });

  it("asks over the authorization socket, twice at most, each try within the whole", () => {
    expect(only(config, "cluster_name")).toBe("cellwall_authz");
    expect(only(config, "num_retries")).toBe(1);
    const seconds = (key: string): number => Number.parseFloat(String(only(config, key)));
    expect(seconds("max_interval") * 2).toBeLessThanOrEqual(seconds("timeout"));
    expect(all(config, "retry_host_predicate")).toHaveLength(1);
  });
});

describe("the http authorization filter", () => {
  it("lets the answer set no header but ours, and treats any other as an error", () => {
    const rules = only(filter(), "decoder_header_mutation_rules");
    expect(rules).toMatchObject({ disallow_all: true, disallow_is_error: true });
    const ours = new RegExp(String(only(rules, "regex")));
    expect(
      ["x-cellwall-decision", ":path", "host", "x-cellwall-", "ax-cellwall-b"].filter((name) => ours.test(name)),
    ).toEqual(["x-cellwall-decision"]);
    expect(only(filter(), "validate_mutations")).toBe(true);
  });

  it("answers an outage with 503, sends raw headers and keeps denials out of the app's statistics", () => {
    expect(only(filter(), "status_on_error")).toEqual({ code: "ServiceUnavailable" });
    expect(only(filter(), "encode_raw_headers")).toBe(true);
    expect(only(filter(), "charge_cluster_response_stats")).toBe(false);
    expect(only(filter(), "clear_route_cache")).toBe(false);
  });

  it("keeps withheld headers from Check", () => {
    expect(only(filter(), "disallowed_headers")).toEqual({ patterns: [{ exact: "cookie" }] });
    expect(all(filter({ withheld: [] }), "disallowed_headers")).toEqual([]);
  });

  it("passes on verified tokens only where tokens are verified", () => {
    expect(all(filter(), "metadata_context_namespaces")).toEqual([]);
    expect(only(filter({ tokens: true }), "metadata_context_namespaces")).toEqual(["envoy.filters.http.jwt_authn"]);
  });

  it("has no field that its version does not know", () => {
    const old = filter({ envoyVersion: { major: 1, minor: 36, patch: 10 } });
    expect(all(old, "enforce_response_header_limits")).toEqual([]);
    expect(all(filter(), "enforce_response_header_limits")).toEqual([true]);
  });
});

it("tells Check the listener's kind, port and withheld headers", () => {
  expect(only(listenerContext("edge", 443, ["authorization", "cookie"]), "context_extensions")).toEqual({
    "cellwall.listener": "edge",
    "cellwall.port": "443",
    "cellwall.withheld": "authorization,cookie",
  });
});
