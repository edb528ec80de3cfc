import { describe, expect, it } from "vitest";
import { createTestCa } from "../spiffe/testing/index.ts";
import { WorkloadIdentity } from "./workload-identity.ts";

const ca = createTestCa({ trustDomain: "shop.example" });
const trust = { trustDomain: ca.trustDomain, bundles: new Map([[ca.trustDomain, ca.bundle()]]) };
const svid = () => ca.issue({ uris: ["spiffe://shop.example/shop/web"] }).svid();

describe("WorkloadIdentity", () => {
  it("tells of each change, and of nothing else", () => {
    const identity = new WorkloadIdentity();
    const seen: string[] = [];
    const stop = identity.subscribe(() => seen.push(identity.state.kind));
    const first = svid();
    identity.set({ kind: "pending" });
    identity.set({ kind: "present", svid: first, trust });
    identity.set({ kind: "present", svid: first, trust });
    identity.set({ kind: "present", svid: svid(), trust });
    identity.set({ kind: "present", svid: first, trust: { ...trust } });
    identity.set({ kind: "none", reason: "a" });
    identity.set({ kind: "none", reason: "a" });
    identity.set({ kind: "none", reason: "b" });
    stop();
    identity.set({ kind: "pending" });
    expect(seen).toEqual(["present", "present", "present", "none", "none"]);
  });
});
