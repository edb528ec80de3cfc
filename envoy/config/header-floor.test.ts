import { describe, expect, it } from "vitest";
import { earlyHeaderMutation, OVERRIDE_HEADERS, withheldHeaders } from "./header-floor.ts";
import { all, only } from "./testing/look.ts";

const inbound = (keep: readonly string[] = []) => earlyHeaderMutation({ removes: "all", keep, identity: "peer" });

describe("earlyHeaderMutation", () => {
  it("removes before it appends: an empty identity must not leave a forged one standing", () => {
    const mutations = only(inbound(), "mutations");
    const kinds = Array.isArray(mutations) ? mutations.flatMap((mutation) => Object.keys(mutation)) : [];
    expect(kinds.lastIndexOf("remove")).toBeLessThan(kinds.indexOf("append"));
    expect(kinds.lastIndexOf("remove_on_match")).toBeLessThan(kinds.indexOf("append"));
  });

  it("removes all that only sidecars write, by prefix", () => {
    expect(all(inbound(), "prefix")).toEqual(["x-cellwall-", "x-envoy-"]);
  });

  it("writes the peer's uri san and serial on mesh listeners, and nothing elsewhere", () => {
    expect(all(inbound(), "header")).toEqual([
      { key: "x-cellwall-caller", value: "%DOWNSTREAM_PEER_URI_SAN%" },
      { key: "x-cellwall-peer-serial", value: "%DOWNSTREAM_PEER_SERIAL%" },
    ]);
    expect(all(earlyHeaderMutation({ removes: "all", keep: [], identity: "none" }), "header")).toEqual([]);
  });

  it("removes the request id and every override header but those that the workload keeps", () => {
    expect(all(inbound(), "remove")).toEqual(["x-request-id", ...OVERRIDE_HEADERS]);
    const kept = all(inbound(["forwarded", "x-request-id", "x-cellwall-caller"]), "remove");
    expect(kept).toEqual(["x-request-id", ...OVERRIDE_HEADERS.filter((name) => name !== "forwarded")]);
    expect(all(inbound(["x-cellwall-caller"]), "prefix")).toContain("x-cellwall-");
  });

  it("leaves the local app's own headers alone but for those of sidecars", () => {
    const outbound = earlyHeaderMutation({ removes: "sidecar", keep: [], identity: "none" });
    expect(all(outbound, "remove")).toEqual([]);
    expect(all(outbound, "prefix")).toEqual(["x-cellwall-", "x-envoy-"]);
  });
});

it("names every override header once, in lower case", () => {
  expect(new Set(OVERRIDE_HEADERS).size).toBe(OVERRIDE_HEADERS.length);
  expect(OVERRIDE_HEADERS.filter((name) => name !== name.toLowerCase())).toEqual([]);
});

it("withholds credentials but those that the workload sends to Check", () => {
  expect(withheldHeaders([])).toEqual(["authorization", "cookie", "proxy-authorization"]);
  expect(withheldHeaders(["cookie", "x-other"])).toEqual(["authorization", "proxy-authorization"]);
});
