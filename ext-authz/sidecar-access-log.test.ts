import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../spiffe/index.ts";
import { refusalRecord } from "./sidecar-access-log.ts";

const at = new Date(Date.UTC(2026, 0, 2));

describe("refusalRecord", () => {
  it("tells of a refused connection, and that nothing has verified the peer", () => {
    const record = refusalRecord("shop/orders", {
      kind: "connection",
      reason: "untrusted-certificate",
      at,
      listenerPort: 8443,
      peerAddress: "10.0.0.9",
      unverifiedPeer: "spiffe://evil.example/\u001b[2Jweb",
    });
    expect(record).toEqual({
      kind: "connection-refused",
      time: "2026-01-02T00:00:00.000Z",
      workload: "shop/orders",
      listenerPort: 8443,
      peerAddress: "10.0.0.9",
      reason: "untrusted-certificate",
      unverifiedPeer: "spiffe://evil.example/\\u001b[2Jweb",
    });
  });

  it("tells of a request that the sidecar answered itself", () => {
    const record = refusalRecord("shop/orders", {
      kind: "request",
      reason: "path_normalization_failed",
      status: 400,
      at,
      method: "GET",
      path: "/a\u202e",
      caller: parseSpiffeId("spiffe://shop.example/shop/web"),
    });
    expect(record).toEqual({
      kind: "request-refused",
      time: "2026-01-02T00:00:00.000Z",
      workload: "shop/orders",
      reason: "path_normalization_failed",
      status: 400,
      method: "GET",
      path: "/a\\u202e",
      caller: "spiffe://shop.example/shop/web",
    });
  });
});
