import { describe, expect, it } from "vitest";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { THROW_AWAY_ANCHOR } from "../throw-away-anchor.ts";
import { all, only } from "./testing/look.ts";
import { meshOf, sidecar, workload } from "./testing/sidecars.ts";
import { edgeListenerTls, meshListenerTls, peerTls, serverFirstTls } from "./tls.ts";

const set = meshOf([], { federated: [parseTrustDomain("partner.example")] });
const callee = workload("db", sidecar());

describe.each([
  ["a mesh listener", meshListenerTls(set, ["h2"])],
  ["a server-first listener", serverFirstTls(set, 3306)],
  ["a call", peerTls(set, callee, ["h2"])],
])("tls of %s", (_kind, tls) => {
  it("is 1.3 and nothing else", () => {
    expect(only(tls, "tls_minimum_protocol_version")).toBe("TLSv1_3");
    expect(only(tls, "tls_maximum_protocol_version")).toBe("TLSv1_3");
  });

  it("trusts, before the agent has spoken, an anchor without a key and uri sans only", () => {
    expect(only(tls, "trusted_ca")).toEqual({ inline_string: THROW_AWAY_ANCHOR });
    const matchers = all(tls, "match_typed_subject_alt_names").flat();
    expect(matchers.length).toBeGreaterThan(0);
    expect(new Set(all(tls, "san_type"))).toEqual(new Set(["URI"]));
    expect(all(tls, "trust_chain_verification")).toEqual([]);
  });

  it("waits for its secrets for ever and takes them from the agent", () => {
    expect(new Set(all(tls, "initial_fetch_timeout"))).toEqual(new Set(["0s"]));
    expect(new Set(all(tls, "cluster_name"))).toEqual(new Set(["cellwall_envoy"]));
    expect(only(tls, "tls_certificate_sds_secret_configs")).toMatchObject([{ name: "default" }]);
  });
});

describe("a mesh listener", () => {
  it("admits the own and the federated trust domains, by whole names", () => {
    const matchers = only(meshListenerTls(set, []), "match_typed_subject_alt_names");
    expect(matchers).toEqual([
      { san_type: "URI", matcher: { prefix: "spiffe://shop.example/" } },
      { san_type: "URI", matcher: { prefix: "spiffe://partner.example/" } },
    ]);
    expect(only(meshListenerTls(set, []), "validation_context_sds_secret_config")).toMatchObject({ name: "ALL" });
  });

  it.each([meshListenerTls(set, []), serverFirstTls(set, 1)])(
    "asks for a certificate and resumes no session",
    (tls) => {
      expect(only(tls, "require_client_certificate")).toBe(true);
      expect(only(tls, "disable_stateless_session_resumption")).toBe(true);
      expect(only(tls, "disable_stateful_session_resumption")).toBe(true);
    },
  );
});

it("takes the own certificate from another issuer's socket, and whom to believe from the agent all the same", () => {
  const identity = { bundle: { file: "/x" }, certificates: { sds: "unix:/run/spire/agent.sock" } };
  const external = meshOf([], { identity });
  for (const tls of [meshListenerTls(external, []), serverFirstTls(external, 1), peerTls(external, callee, [])]) {
    expect(all(only(tls, "tls_certificate_sds_secret_configs"), "cluster_name")).toEqual(["cellwall_identity"]);
    expect(all(only(tls, "validation_context_sds_secret_config"), "cluster_name")).toEqual(["cellwall_envoy"]);
  }
});

it("admits nobody to a server-first listener but whom the agent names", () => {
  const tls = serverFirstTls(set, 3306);
  expect(only(tls, "match_typed_subject_alt_names")).toEqual([
    { san_type: "URI", matcher: { exact: "urn:cellwall:nobody" } },
  ]);
  expect(only(tls, "validation_context_sds_secret_config")).toMatchObject({ name: "tcp/3306" });
});

it("calls exactly the callee's identity, and verifies it anew on each connection", () => {
  const tls = peerTls(set, callee, ["h2"]);
  expect(only(tls, "match_typed_subject_alt_names")).toEqual([
    { san_type: "URI", matcher: { exact: "spiffe://shop.example/shop/db" } },
  ]);
  expect(only(tls, "max_session_keys")).toBe(0);
});

it("asks no certificate of the public, and shows the one that the agent reads from the listener's folder", () => {
  const tls = edgeListenerTls(443, ["h2"]);
  expect(only(tls, "require_client_certificate")).toBe(false);
  expect(only(tls, "tls_certificate_sds_secret_configs")).toMatchObject([{ name: "edge/443" }]);
  expect(all(tls, "cluster_name")).toEqual(["cellwall_envoy"]);
  expect(all(tls, "initial_fetch_timeout")).toEqual(["0s"]);
});
