import { describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { certificateFacts } from "./peer-certificate.ts";

const ca = createTestCa({ trustDomain: "cell.test" });
const WEB = "spiffe://cell.test/web";
const encoded = (options: Parameters<typeof ca.issue>[0]): string => encodeURIComponent(ca.issue(options).certPem);

describe("a peer's certificate as the sidecar sends it", () => {
  it("says its uri names and its serial", () => {
    const serial = "4a0b";
    expect(certificateFacts(encoded({ uris: [WEB], serial }))).toEqual({ callers: [WEB], serials: ["4A0B"] });
  });

  it("says every one of several uri names, and other names not", () => {
    const facts = certificateFacts(encoded({ uris: [WEB, "spiffe://cell.test/admin"], dns: ["web.test"] }));
    expect(facts.callers).toEqual([`${WEB},spiffe://cell.test/admin`]);
  });

  it("does not take a dns name that is spelt like an identity for one", () => {
    expect(certificateFacts(encoded({ uris: [], dns: [WEB] })).callers).toEqual([]);
  });

  it("does not take a part of a name for a name", () => {
    const facts = certificateFacts(encoded({ uris: ["spiffe://cell.test/x, URI:spiffe://cell.test/web"] }));
    expect(facts.callers).not.toEqual([WEB]);
  });

  it("says nothing where there is none, and has a problem where it cannot be read", () => {
    expect(certificateFacts("")).toEqual({ callers: [], serials: [] });
    for (const text of ["x", "%", encodeURIComponent("-----BEGIN CERTIFICATE-----"), "a".repeat(70_000)])
      expect(certificateFacts(text).problem).toBeTypeOf("string");
  });
});
