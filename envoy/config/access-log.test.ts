import { expect, it } from "vitest";
import { openConnectionLog, openStreamLog, refusedRequestLog, tlsFailureLog } from "./access-log.ts";
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

it("tells of requests that last, and of no request that was refused before Check", () => {
  const text = JSON.stringify(openStreamLog());
  expect(text).toContain('"types":["DownstreamPeriodic"]');
  expect(text).toContain('"default_value":5000');
  expect(String(only(openStreamLog(), "expression"))).not.toMatch(/^!/);
});

it("sends all of them over the envoy socket", () => {
  for (const log of [tlsFailureLog(), refusedRequestLog(), openStreamLog(), openConnectionLog()])
    expect(only(log, "cluster_name")).toBe("cellwall_envoy");
});
