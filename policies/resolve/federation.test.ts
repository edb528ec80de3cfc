import { describe, expect, it } from "vitest";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { parseDocuments } from "../syntax/parse-documents.ts";
import { resolve } from "./resolve.ts";

const BUNDLE = formatTrustBundle(createTestCa({ trustDomain: "partner.example" }).bundle());

function meshOf(spec: object) {
  const mesh = { apiVersion: "cellwall.dev/v1", kind: "Mesh", metadata: { name: "mesh" } };
  const text = JSON.stringify({ ...mesh, spec: { trustDomain: "shop.example", defaultMode: "enforce", ...spec } });
  const { documents, diagnostics } = parseDocuments([{ path: "mesh.yaml", text }]);
  return resolve(documents, { diagnostics });
}

const partner = (entry: object) => ({ federation: [{ trustDomain: "partner.example", ...entry }] });
const url = "https://partner.example/bundle";
const spiffe = { url, profile: "https_spiffe", spiffeId: "spiffe://partner.example/cellwall/authority" };
const messages = (spec: object) => meshOf(spec).diagnostics.map(({ message }) => message);

describe("federation", () => {
  it("F-1: is a trust domain with the endpoint's URL and profile, each said", () => {
    const set = meshOf(partner({ endpoint: { url, profile: "https_web" } }));
    expect(set.diagnostics).toEqual([]);
    expect(set.mesh.federated).toEqual(["partner.example"]);
    expect(set.mesh.federation).toEqual([{ trustDomain: "partner.example", endpoint: { url, profile: "https_web" } }]);
    expect(messages(partner({ endpoint: { url } }))).toEqual([expect.stringContaining("`profile` is missing")]);
    expect(messages(partner({ endpoint: { profile: "https_web" } }))).toEqual([
      expect.stringContaining("`url` is missing"),
    ]);
  });

  it.each(["http://partner.example/bundle", "https://user@partner.example/bundle", "https://a:b@partner.example/"])(
    "F-2: takes no URL but https without credentials: %s",
    (bad) => {
      expect(messages(partner({ endpoint: { url: bad, profile: "https_web" } }))).toEqual([
        expect.stringContaining("is not an https URL"),
      ]);
    },
  );

  it("F-3: takes nothing more for https_web", () => {
    expect(messages(partner({ endpoint: { ...spiffe, profile: "https_web" } }))).toEqual([
      expect.stringContaining("proves itself by its host name"),
    ]);
  });

  it("F-4: needs a SPIFFE ID for https_spiffe, and a bundle to begin with", () => {
    expect(meshOf(partner({ endpoint: spiffe, bundle: { inline: BUNDLE } })).diagnostics).toEqual([]);
    expect(messages(partner({ endpoint: { url, profile: "https_spiffe" }, bundle: { inline: BUNDLE } }))).toEqual([
      expect.stringContaining("needs the server's `spiffeId`"),
    ]);
    expect(messages(partner({ endpoint: spiffe }))).toEqual([expect.stringContaining("needs a `bundle`")]);
  });

  it("F-4: takes a server of another trust domain only where that one's bundle is known", () => {
    const endpoint = { ...spiffe, spiffeId: "spiffe://broker.example/bundles" };
    expect(messages(partner({ endpoint }))).toEqual([expect.stringContaining("whose bundle is not known here")]);
    const both = [
      { trustDomain: "partner.example", endpoint },
      { trustDomain: "broker.example", bundle: { file: "/etc/cellwall/broker.json" } },
    ];
    expect(messages({ federation: both })).toEqual([]);
  });

  it.each([
    ["no JSON", "nonsense", "not JSON"],
    ["a key twice", '{"keys":[],"keys":[]}', "stands twice"],
    ["without a key", '{"keys":[]}', "holds no key"],
  ])("refuses a bundle that is %s where it stands", (_what, inline, message) => {
    expect(messages(partner({ bundle: { inline } }))).toEqual([expect.stringContaining(message)]);
  });
});

describe("a foreign call", () => {
  const found = (spiffe: string) => {
    const head = { apiVersion: "cellwall.dev/v1", metadata: { name: "web", namespace: "shop" } };
    const place = { address: "y.partner.example", port: 8443, local: "127.0.0.1:9001", protocol: "http" };
    const sidecar = { address: "web", foreignCalls: [{ spiffe, ...place }] };
    const federation = [{ trustDomain: "partner.example" }];
    const mesh = { trustDomain: "shop.example", defaultMode: "enforce", federation };
    const texts = [
      { ...head, kind: "Mesh", metadata: { name: "mesh" }, spec: mesh },
      { ...head, kind: "Workload", spec: { sidecar } },
    ];
    const { documents, diagnostics } = parseDocuments([
      { path: "a.yaml", text: texts.map((each) => JSON.stringify(each)).join("\n---\n") },
    ]);
    return resolve(documents, { diagnostics });
  };

  it("leads to an identity of a federated trust domain", () => {
    const set = found("spiffe://partner.example/y");
    expect(set.diagnostics).toEqual([]);
    expect(set.workloads[0]?.sidecar?.foreignCalls?.[0]).toMatchObject({ address: "y.partner.example", port: 8443 });
  });

  it.each([
    ["spiffe://other.example/y", "`other.example` is not federated"],
    ["spiffe://shop.example/shop/y", "is of the own trust domain"],
  ])("is refused to %s", (spiffe, message) => {
    expect(found(spiffe).diagnostics.map((one) => one.message)).toEqual([expect.stringContaining(message)]);
  });
});

describe("the own endpoints", () => {
  it("are served where the mesh says", () => {
    const set = meshOf({
      bundleEndpoint: { listen: "0.0.0.0:8443", profile: "https_spiffe" },
      oidcDiscovery: { issuer: "https://id.shop.example", listen: "[::1]:8444", certificate: "/etc/tls/id" },
    });
    expect(set.diagnostics).toEqual([]);
    expect(set.mesh.bundleEndpoint).toEqual({ profile: "https_spiffe", listen: { host: "0.0.0.0", port: 8443 } });
    expect(set.mesh.oidcDiscovery).toEqual({
      issuer: "https://id.shop.example",
      serve: { listen: { host: "::1", port: 8444 }, certificate: "/etc/tls/id" },
    });
  });

  it.each<[object, string]>([
    [{ bundleEndpoint: { listen: "localhost:8443", profile: "https_spiffe" } }, "not an IP address and a port"],
    [{ bundleEndpoint: { listen: "0.0.0.0:8443", profile: "https_web" } }, "needs a `certificate`"],
    [
      { bundleEndpoint: { listen: "0.0.0.0:8443", profile: "https_spiffe", certificate: "/etc/tls" } },
      "shows its own X.509-SVID",
    ],
    [{ oidcDiscovery: { issuer: "https://id.example", listen: "0.0.0.0:1" } }, "both `listen` and `certificate`"],
    [{ oidcDiscovery: { issuer: "https://id.example/?x" } }, "has no query"],
    [
      {
        bundleEndpoint: { listen: "0.0.0.0:8443", profile: "https_spiffe" },
        oidcDiscovery: { issuer: "https://id.example", listen: "0.0.0.0:8443", certificate: "/etc/tls" },
      },
      "listens on this address",
    ],
  ])("are refused: %j", (spec, message) => {
    expect(messages(spec)).toEqual([expect.stringContaining(message)]);
  });
});
