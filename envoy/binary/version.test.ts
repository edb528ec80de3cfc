import { describe, expect, it } from "vitest";
import { compareEnvoyVersions, type EnvoyVersion, formatEnvoyVersion, parseEnvoyVersion } from "./version.ts";

const version = (text: string): EnvoyVersion => parseEnvoyVersion(text);

describe("parseEnvoyVersion", () => {
  it.each([
    ["1.40.0", [1, 40, 0]],
    ["v1.36.10", [1, 36, 10]],
    ["\n/opt/envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL\n", [1, 40, 0]],
    ["envoy  version: 816188b86a0a52095b116b107f576324082c7c02/1.30.1-dev/Clean/RELEASE/BoringSSL", [1, 30, 1]],
  ])("reads %j", (text, [major, minor, patch]) => {
    expect(parseEnvoyVersion(text)).toEqual({ major, minor, patch });
  });

  it.each(["", "1.40", "envoy", "1.40.x", "1.40.0.1", "11111.1.1"])("refuses %j", (text) => {
    expect(() => parseEnvoyVersion(text)).toThrow(expect.objectContaining({ code: "ERR_ENVOY_VERSION" }));
  });
});

describe("compareEnvoyVersions", () => {
  it("orders by number, not by text", () => {
    const sorted = ["1.40.0", "1.36.10", "2.0.0", "1.36.4", "1.9.12"].map(version).sort(compareEnvoyVersions);
    expect(sorted.map(formatEnvoyVersion)).toEqual(["1.9.12", "1.36.4", "1.36.10", "1.40.0", "2.0.0"]);
    expect(compareEnvoyVersions(version("1.40.0"), version("1.40.0"))).toBe(0);
  });
});
