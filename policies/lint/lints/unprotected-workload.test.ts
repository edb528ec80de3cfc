import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("unprotected-workload", () => {
  it("finds a workload that listens and has no policy", () => {
    const [one, ...others] = found(
      "unprotected-workload",
      policy(allow(["GET /a"])),
      `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: extra, namespace: shop }
spec:
  sidecar:
    address: extra
    listens: [{ port: 8443, app: "unix:/run/extra.sock", protocol: http }]
    probes: { port: 15021, paths: [/healthz, /readyz] }
`,
    );
    expect(one).toMatchObject({ severity: "note", message: "no policy protects `shop/extra`" });
    expect(others).toEqual([]);
  });

  it("takes one that a policy protects, and one that does not listen", () => {
    expect(found("unprotected-workload", policy(allow(["GET /a"])))).toEqual([]);
  });
});
