import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { StateDir } from "./state-dir.ts";
import { TrustStore } from "./trust-store.ts";

const shop = createTestCa({ trustDomain: "shop.example" });
const partner = createTestCa({ trustDomain: "partner.example" });
const text = (sequence: bigint, ca = shop): string => formatTrustBundle({ ...ca.bundle(), sequence });
const message = (sequence: bigint, rest: Record<string, string> = {}) => ({
  trustDomain: "shop.example",
  bundles: { "shop.example": text(sequence), ...rest },
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const store = (): TrustStore => new TrustStore(new StateDir(folder));

describe("TrustStore", () => {
  it("keeps the own and the federated bundles across restarts", () => {
    const first = store();
    expect(first.take(message(1n, { "partner.example": text(4n, partner) }))).toBe(true);
    expect(first.take(message(1n, { "partner.example": text(4n, partner) }))).toBe(false);
    const second = store();
    second.restore();
    expect(second.own?.x509Authorities[0]?.fingerprint256).toBe(shop.root.fingerprint256);
    expect([...(second.state?.bundles.keys() ?? [])].sort()).toEqual(["partner.example", "shop.example"]);
  });

  it("has lists of revoked certificates as long as they hold, and drops all of them before one ends", () => {
    const listed = (until: string, last = until) => ({
      ...message(1n, { "partner.example": text(4n, partner) }),
      revocationLists: [until, last].map((end) => ({ der: "AQID", until: end })),
    });
    const trust = store();
    trust.take(listed("2030-01-02T00:00:00Z", "2030-01-01T12:00:00Z"));
    expect(trust.own?.revocationLists?.map(({ der }) => [...der])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(trust.endLists(new Date("2030-01-01T11:58:00Z"))).toBe(false);
    expect(trust.endLists(new Date("2030-01-01T11:59:30Z"))).toBe(true);
    expect([trust.own?.revocationLists, trust.workloads?.bundles.size]).toEqual([undefined, 2]);
    expect(trust.endLists(new Date("2030-01-01T11:59:31Z"))).toBe(false);
    trust.take(listed("2030-01-03T00:00:00Z"));
    expect(trust.own?.revocationLists).toHaveLength(2);
  });

  it("refuses an older own bundle and keeps the one it has", () => {
    const trust = store();
    trust.take(message(5n));
    expect(() => trust.take(message(4n))).toThrow(/older/);
    expect(trust.own?.sequence).toBe(5n);
  });

  it("refuses a list of another trust domain, without the own one, or that cannot be read", () => {
    const trust = store();
    trust.take(message(1n));
    expect(() =>
      trust.take({ trustDomain: "partner.example", bundles: { "partner.example": text(1n, partner) } }),
    ).toThrow(/partner/);
    expect(() => trust.take({ trustDomain: "shop.example", bundles: {} })).toThrow(/lacks/);
    expect(() => trust.take({ trustDomain: "shop.example", bundles: { "shop.example": "{}" } })).toThrow(
      expect.objectContaining({ code: "ERR_AGENT_ANSWER" }),
    );
    expect(trust.own?.sequence).toBe(1n);
  });

  it("counts a torn file as none", () => {
    writeFileSync(join(folder, "trust-bundles.json"), "{");
    const trust = store();
    trust.restore();
    expect(trust.own).toBeUndefined();
  });
});
