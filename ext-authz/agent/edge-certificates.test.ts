import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { readEdgeCertificates, sameEdges } from "./edge-certificates.ts";

const ca = createTestCa({ trustDomain: "web.example" });
const issue = (more = {}): TestCertificate => ca.issue({ uris: [], dns: ["www.shop.example"], ...more });
const now = new Date();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (certificate: TestCertificate, key = certificate): void => {
  writeFileSync(join(folder, "tls.crt"), certificate.chainPem);
  writeFileSync(join(folder, "tls.key"), key.keyPem);
};
const web = () =>
  workload(
    "web",
    sidecar({ listens: [listen({ port: 443, clients: "public", serverCertificate: folder }), listen()] }),
  );
const read = (before?: Parameters<typeof readEdgeCertificates>[3]) => {
  const own = web();
  return readEdgeCertificates(meshOf([own]), own.identity.toString(), now, before);
};

describe("the certificate of a public listener", () => {
  it("is the chain and the key in its folder, and another one when that has changed", () => {
    const [first, second] = [issue(), issue()];
    put(first);
    const before = read();
    expect([...before.certificates]).toEqual([[443, { chainPem: first.chainPem, keyPem: first.keyPem }]]);
    expect(sameEdges(before, read(before))).toBe(true);
    put(second);
    const after = read(before);
    expect(after.certificates.get(443)?.chainPem).toBe(second.chainPem);
    expect(sameEdges(before, after)).toBe(false);
  });

  it.each<[string, () => void, RegExp]>([
    ["is gone", () => rmSync(join(folder, "tls.key")), /ENOENT/],
    ["is half replaced", () => put(issue(), issue()), /not the key/],
    ["is no certificate", () => writeFileSync(join(folder, "tls.crt"), "x"), /certificate/],
    ["has run out", () => put(issue({ notAfter: new Date(now.getTime() - 1000) })), /expired/],
  ])("stays the last good one where it %s, and that is a problem", (_what, change, problem) => {
    const good = issue();
    put(good);
    const before = read();
    change();
    const after = read(before);
    expect(after.certificates.get(443)?.chainPem).toBe(good.chainPem);
    expect(after.problems).toEqual([expect.stringMatching(problem)]);
    expect(read().certificates.size).toBe(0);
  });

  it("is nobody else's, and there is none before the first policy", () => {
    put(issue());
    expect(readEdgeCertificates(meshOf([web()]), "spiffe://shop.example/shop/other", now).certificates.size).toBe(0);
    expect(readEdgeCertificates(undefined, "spiffe://shop.example/shop/web", now).certificates.size).toBe(0);
  });
});
