import { describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import type { DataSource } from "../gen/envoy/config/core/v3/base.ts";
import type { CertificateValidationContext } from "../gen/envoy/extensions/transport_sockets/tls/v3/common.ts";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { SPIFFECertValidatorConfig } from "../gen/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config.ts";
import { THROW_AWAY_ANCHOR } from "../throw-away-anchor.ts";
import type { SecretSnapshot } from "./secret-snapshot.ts";
import { type SecretSource, secretsOf, trustNobody } from "./secrets.ts";

const ca = createTestCa({ trustDomain: "cell.test" });
const other = createTestCa({ trustDomain: "other.test" });
const leaf = ca.intermediate().issue({ uris: ["spiffe://cell.test/shop/orders"] });
const web = "spiffe://cell.test/shop/web";

const snapshot: SecretSnapshot = {
  svid: leaf.svid(),
  trustBundles: [ca.bundle(), other.bundle()],
  serverFirst: new Map([
    [5432, [web]],
    [3306, []],
  ]),
};

function decoded(source: SecretSource | undefined, edition = ""): Secret {
  if (source === undefined) throw new Error("no such secret");
  return Secret.decode(source(edition).bytes);
}

function context(source: SecretSource | undefined): CertificateValidationContext {
  const { type } = decoded(source);
  if (type?.$case !== "validationContext") throw new Error("no validation context");
  return type.value;
}

function text(source: DataSource | undefined): string {
  return source?.specifier?.$case === "inlineBytes" ? Buffer.from(source.specifier.value).toString() : "";
}

function domains(source: SecretSource | undefined): Record<string, string> {
  const bytes = context(source).customValidatorConfig?.typedConfig?.value ?? new Uint8Array(0);
  return Object.fromEntries(
    SPIFFECertValidatorConfig.decode(bytes).trustDomains.map(({ name, trustBundle }) => [name, text(trustBundle)]),
  );
}

const uris = (source: SecretSource | undefined) =>
  context(source).matchTypedSubjectAltNames.map(({ sanType, matcher }) => [sanType, matcher?.matchPattern]);

describe("the secrets of a snapshot", () => {
  const secrets = secretsOf(snapshot);

  it("are the leaf, trust in all, each and the own trust domain, and the callers of each server-first port", () => {
    expect([...secrets.keys()]).toEqual([
      "ALL",
      "ROOTCA",
      "spiffe://cell.test",
      "spiffe://other.test",
      "tcp/5432",
      "tcp/3306",
      "default",
      "spiffe://cell.test/shop/orders",
    ]);
  });

  it("hold the whole chain and its key", () => {
    const { type } = decoded(secrets.get("default"));
    if (type?.$case !== "tlsCertificate") throw new Error("no certificate");
    expect(text(type.value.certificateChain)).toBe(leaf.chain.map((one) => one.toString()).join(""));
    expect(text(type.value.privateKey)).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it("bind every trust domain to its own anchors", () => {
    expect(domains(secrets.get("ALL"))).toEqual({ "cell.test": `${ca.root}`, "other.test": `${other.root}` });
    expect(domains(secrets.get("ROOTCA"))).toEqual({ "cell.test": `${ca.root}` });
    expect(domains(secrets.get("spiffe://other.test"))).toEqual({ "other.test": `${other.root}` });
  });

  it("leave the matchers of ALL to the sidecar, which may pin one callee", () => {
    expect(uris(secrets.get("ALL"))).toEqual([]);
  });

  it("name the callers of a server-first port exactly, and nobody where there is none", () => {
    const nobody = [3, { $case: "exact", value: "urn:cellwall:nobody" }];
    expect(uris(secrets.get("tcp/5432"))).toEqual([nobody, [3, { $case: "exact", value: web }]]);
    expect(uris(secrets.get("tcp/3306"))).toEqual([nobody]);
  });

  it("are without the leaf while there is no svid, and nothing while there is no bundle", () => {
    expect([...secretsOf({ ...snapshot, svid: undefined }).keys()]).not.toContain("default");
    expect(secretsOf({ svid: undefined, trustBundles: [], serverFirst: snapshot.serverFirst }).size).toBe(0);
  });

  it("admit nobody of a trust domain whose bundle has no self-signed authority", () => {
    const bundles = [ca.bundle(), other.bundle([other.intermediate().certificate])];
    expect(domains(secretsOf({ ...snapshot, trustBundles: bundles }).get("ALL"))["other.test"]).toBe(THROW_AWAY_ANCHOR);
  });

  it("have the version of their content, which the order of anchors does not change", () => {
    const next = createTestCa({ trustDomain: "cell.test" }).root;
    const version = (roots: Parameters<typeof ca.bundle>[0]) =>
      secretsOf({ ...snapshot, trustBundles: [ca.bundle(roots)] }).get("ALL")?.("").version;
    expect(version([ca.root, next])).toBe(version([next, ca.root]));
    expect(version([ca.root, next])).not.toBe(version([ca.root]));
  });

  it("mean the same in another edition, with other bytes", () => {
    for (const [name, source] of [...secrets, ["gone", trustNobody("gone")] as const]) {
      const [plain, edition] = [source(""), source("e.1")];
      expect(edition.version, name).not.toBe(plain.version);
      expect(Buffer.from(edition.bytes).toString("latin1"), name).toContain("# e.1\n-----BEGIN CERTIFICATE-----");
    }
  });

  it("that are gone trust an anchor without a key, and nobody", () => {
    expect(domains(trustNobody("tcp/5432"))).toEqual({ "nobody.invalid": THROW_AWAY_ANCHOR });
    expect(uris(trustNobody("tcp/5432"))).toHaveLength(1);
  });
});
