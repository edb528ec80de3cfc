import { expect, it } from "vitest";
import { refusedRequestLog, tlsFailureLog } from "./access-log.ts";
import { only } from "./testing/look.ts";

it("reports failed handshakes only", () => {
  expect(only(tlsFailureLog(), "expression")).toBe("connection.transport_failure_reason != ''");
});

it("reports no request that Check has seen, and every other", () => {
  const expression = String(only(refusedRequestLog(), "expression"));
  const prefixes = [...expression.matchAll(/startsWith\('([^']+)'\)/g)].map(([, prefix]) => prefix ?? "?");
  const reported = (details: string): boolean => !prefixes.some((prefix) => details.startsWith(prefix));
  expect(expression).toMatch(/^!\(/);
  const seen = [
    "ext_authz_denied",
    "ext_authz_error",
    "via_upstream",
    "upstream_reset_before_response_started{x}",
    "no_healthy_upstream",
  ];
  expect(seen.filter(reported)).toEqual([]);
  const refused = [
    "path_normalization_failed",
    "upgrade_failed",
    "route_not_found",
    "http1.unexpected_underscore",
    "low_version",
    "",
  ];
  expect(refused.filter(reported)).toEqual(refused);
});

it("sends both over the envoy socket", () => {
  for (const log of [tlsFailureLog(), refusedRequestLog()]) expect(only(log, "cluster_name")).toBe("cellwall_envoy");
});
