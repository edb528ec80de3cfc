import { describe, expect, it } from "vitest";
import type { JwtProvider } from "../../policies/index.ts";
import { tokenClusters, tokenFilters } from "./jwt.ts";
import { all, only } from "./testing/look.ts";
import { meshOf } from "./testing/sidecars.ts";

const provider = (jwks: JwtProvider["jwks"], audiences: readonly string[] = ["api"]): JwtProvider => ({
  issuer: "https://idp.example",
  audiences,
  jwks,
});
const meshWith = (providers: Record<string, JwtProvider>) =>
  meshOf([], { jwtProviders: new Map(Object.entries(providers)) });
const inline = provider({ inline: '{"keys":[]}' });

describe("tokenFilters", () => {
  it("are none where the mesh has no providers", () => {
    expect(tokenFilters(meshOf([]))).toEqual([]);
  });

  it("are one a provider, refuse nothing by themselves, and report under keys of their own", () => {
    const filters = tokenFilters(meshWith({ corp: inline, partner: inline }));
    expect(all(filters, "payload_in_metadata")).toEqual(["payload/corp", "payload/partner"]);
    expect(all(filters, "failed_status_in_metadata")).toEqual(["failed/corp", "failed/partner"]);
    expect(all(filters, "allow_missing_or_failed")).toHaveLength(2);
    expect(filters.map((filter) => Object.keys(Object(only(filter, "providers"))))).toEqual([["corp"], ["partner"]]);
  });

  it("read the authorization header alone, never the query, and accept no token without an end", () => {
    const filters = tokenFilters(meshWith({ corp: inline }));
    expect(only(filters, "from_headers")).toEqual([{ name: "authorization", value_prefix: "Bearer " }]);
    expect(only(filters, "require_expiration")).toBe(true);
  });
});

describe("tokenClusters", () => {
  const clusters = (url: string) => tokenClusters(meshWith({ corp: provider({ url }) }), "/etc/roots.pem");

  it("verify the server of the keys by its name", () => {
    const [cluster] = clusters("https://idp.example/keys");
    expect(cluster).toMatchObject({ name: "keys_corp", type: "STRICT_DNS" });
    expect(only(cluster, "sni")).toBe("idp.example");
    expect(all(cluster, "exact")).toEqual(["idp.example"]);
    expect(only(cluster, "trusted_ca")).toEqual({ filename: "/etc/roots.pem" });
    expect(only(cluster, "port_value")).toBe(443);
  });

  it("are none for keys that are at hand", () => {
    const set = meshWith({ a: inline, b: provider({ file: "/etc/keys.json" }) });
    expect(tokenClusters(set, "/etc/roots.pem")).toEqual([]);
  });

  it("fetch no keys in plaintext but from this host", () => {
    expect(all(clusters("http://127.0.0.1:8080/keys"), "transport_socket")).toEqual([]);
    for (const url of ["http://idp.example/keys", "ftp://idp.example/keys", "idp.example"]) {
      expect(() => clusters(url)).toThrow(expect.objectContaining({ code: "ERR_ENVOY_CONFIG" }));
    }
  });
});
