import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("probe-exemption", () => {
  it("notes each probe listener", () => {
    const [one, ...others] = found(
      "probe-exemption",
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
    expect(one).toMatchObject({
      severity: "note",
      message: "`shop/extra` answers GET and HEAD of `/healthz`, `/readyz` on port 15021 without authorization",
    });
    expect(others).toEqual([]);
  });

  it("notes nothing where there are none", () => {
    expect(found("probe-exemption", policy(allow(["GET /a"])))).toEqual([]);
  });
});
