import { createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { checkSnapshot, type SecretSnapshot } from "./secret-snapshot.ts";

const now = new Date();
const ca = createTestCa({ trustDomain: "cell.test", now });
const other = createTestCa({ trustDomain: "other.test", now });
const leaf = ca.issue({ uris: ["spiffe://cell.test/shop/orders"] });
const svid = leaf.svid();
const sound: SecretSnapshot = {
  svid,
  trustBundles: [ca.bundle(), other.bundle()],
  serverFirst: new Map([[5432, ["spiffe://cell.test/shop/web"]]]),
};

function problem(change: Partial<SecretSnapshot>, at = now): string | undefined {
  try {
    checkSnapshot({ ...sound, ...change }, at);
    return undefined;
  } catch (error) {
    if (error instanceof EnvoyError && error.code === "ERR_ENVOY_SECRETS") return error.message;
    throw error;
  }
}

describe("a snapshot of secrets", () => {
  it("is taken where everything fits, and where there is no svid yet", () => {
    expect(problem({})).toBeUndefined();
    expect(problem({ svid: undefined })).toBeUndefined();
    expect(problem({ svid: undefined, trustBundles: [] })).toBeUndefined();
  });

  it("is refused where the key is another's", () => {
    expect(problem({ svid: { ...svid, privateKey: other.privateKey } })).toMatch(/key is not that of/);
    expect(problem({ svid: { ...svid, privateKey: createPrivateKey(other.keyPem) } })).toMatch(/key is not that of/);
  });

  it.each(["rsa1024", "ed25519", "secp256k1"] as const)(
    "is refused where the key is one that Envoy rejects: %s",
    (keyKind) => {
      const odd = ca.issue({ uris: ["spiffe://cell.test/shop/orders"], keyKind });
      expect(problem({ svid: { ...svid, chain: odd.chain, privateKey: odd.privateKey } })).toMatch(/kind that Envoy/);
    },
  );

  it.each(["p256", "p384", "rsa2048"] as const)("is taken with a key that Envoy takes: %s", (keyKind) => {
    expect(problem({ svid: ca.issue({ uris: ["spiffe://cell.test/shop/orders"], keyKind }).svid() })).toBeUndefined();
  });

  it("is refused where the leaf is of another root, expired, or not valid yet", () => {
    const imposter = createTestCa({ trustDomain: "cell.test", now });
    expect(problem({ trustBundles: [imposter.bundle()] })).toMatch(/does not verify/);
    expect(problem({}, new Date(svid.notAfter.getTime() + 1000))).toMatch(/does not verify/);
    expect(problem({}, new Date(svid.notBefore.getTime() - 1000))).toMatch(/does not verify/);
  });

  it("is refused where the chain is empty or names another identity", () => {
    expect(problem({ svid: { ...svid, chain: [] } })).toMatch(/chain .* is empty/);
    const web = ca.issue({ uris: ["spiffe://cell.test/shop/web"] }).svid();
    expect(problem({ svid: { ...svid, chain: web.chain, privateKey: web.privateKey } })).toMatch(/names/);
  });

  it("is refused where the own bundle is missing, another's, empty or without a self-signed root", () => {
    expect(problem({ trustBundles: [] })).toMatch(/first trust bundle/);
    expect(problem({ trustBundles: [other.bundle(), ca.bundle()] })).toMatch(/first trust bundle/);
    expect(problem({ trustBundles: [ca.bundle([])] })).toMatch(/self-signed/);
    expect(problem({ trustBundles: [ca.bundle([ca.intermediate().certificate])] })).toMatch(/self-signed/);
  });

  it("is refused where a trust domain has two bundles", () => {
    expect(problem({ trustBundles: [ca.bundle(), other.bundle(), other.bundle()] })).toMatch(/two trust bundles/);
  });

  it("is not held up by a federated bundle without anchors", () => {
    expect(problem({ trustBundles: [ca.bundle(), other.bundle([])] })).toBeUndefined();
  });

  it("is refused where a server-first caller or port is none", () => {
    for (const caller of ["", "web", "spiffe://cell.test/", "spiffe://cell.test/a/../b"]) {
      expect(problem({ serverFirst: new Map([[5432, [caller]]]) })).toMatch(/not a spiffe id/);
    }
    for (const port of [0, 65_536, 1.5]) expect(problem({ serverFirst: new Map([[port, []]]) })).toMatch(/not a port/);
  });
});
