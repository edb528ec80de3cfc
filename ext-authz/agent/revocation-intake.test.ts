import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { createCheckHandler } from "../check-handler.ts";
import { MonotonicClock, systemClock } from "../monotonic-clock.ts";
import { PolicyState } from "../policy-state.ts";
import { readAnswer } from "../testing/check-answer.ts";
import { checkRequest } from "../testing/check-request.ts";
import { ORDERS, signedMesh, WEB } from "../testing/signed-mesh.ts";
import { BundleIntake } from "./bundle-intake.ts";
import { RevocationIntake } from "./revocation-intake.ts";
import { StateDir } from "./state-dir.ts";

const mesh = signedMesh();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function agent() {
  const clock = new MonotonicClock(systemClock());
  const state = new PolicyState(3_600_000);
  const common = { clock, state, files: new StateDir(folder), trust: () => mesh.trust };
  const revocations = new RevocationIntake(common);
  const bundles = new BundleIntake({
    ...common,
    fetchShard: async (sha256) => mesh.shards.get(sha256) ?? Buffer.alloc(0),
  });
  await bundles.serve([ORDERS]);
  const handler = createCheckHandler({
    workload: "shop/orders",
    destination: parseSpiffeId(ORDERS),
    view: () => state.view,
    nowMs: () => clock.nowMs(),
    observe: () => undefined,
  });
  const ask = (serial = "1f") => {
    const answer = readAnswer(
      handler(checkRequest({ caller: WEB, destination: ORDERS, serial, http: { method: "GET", path: "/orders" } })),
    );
    return answer.status === 0 ? "allowed" : `${answer.httpStatus} ${answer.reason}`;
  };
  return { revocations, bundles, ask, state, clock };
}

const identities = [{ identity: WEB, revokedAt: new Date().toISOString(), reason: "stolen" }];
const refused = (reason: string) => ({ kind: "refused", refusal: { reason } });

describe("revocations", () => {
  it("refuse an identity, or one certificate of it, at once", async () => {
    const { ask, bundles, revocations } = await agent();
    await bundles.take(await mesh.bundle());
    expect(ask()).toBe("allowed");
    const serials = [{ serial: "1f", notAfter: new Date(Date.now() + 60_000).toISOString() }];
    expect(await revocations.take(await mesh.revocations({ sequence: 2, serials }))).toEqual({ kind: "applied" });
    expect([ask("1f"), ask("20")]).toEqual(["403 revoked-identity", "allowed"]);
    await revocations.take(await mesh.revocations({ sequence: 3, identities }));
    expect([ask("1f"), ask("20")]).toEqual(["403 revoked-identity", "403 revoked-identity"]);
  });

  it("hold for bundles that come after them", async () => {
    const { ask, bundles, revocations } = await agent();
    await revocations.take(await mesh.revocations({ identities }));
    await bundles.take(await mesh.bundle());
    expect(ask()).toBe("403 revoked-identity");
    await bundles.take(await mesh.bundle({ revision: 2 }));
    expect(ask()).toBe("403 revoked-identity");
  });

  it("never go back: an older sequence is refused, the same with another content is a conflict", async () => {
    const { ask, bundles, revocations, state } = await agent();
    await bundles.take(await mesh.bundle());
    const current = await mesh.revocations({ sequence: 5, identities });
    await revocations.take(current);
    expect(await revocations.take(current)).toEqual({ kind: "unchanged" });
    expect(await revocations.take(await mesh.revocations({ sequence: 4 }))).toMatchObject(refused("older-revision"));
    expect(await revocations.take(await mesh.revocations({ sequence: 5 }))).toMatchObject(refused("revision-conflict"));
    expect([ask(), state.revocations.sequence]).toEqual(["403 revoked-identity", 5]);
  });

  it("count only from the policy signer", async () => {
    const { revocations } = await agent();
    expect(await revocations.take(await mesh.revocations({ identities, signer: mesh.svidOf(WEB) }))).toMatchObject(
      refused("unknown-signer"),
    );
    expect(await revocations.take(await mesh.bundle())).toMatchObject(refused("unknown-signer"));
  });

  it.each([
    ["unsupported-format", { format: "cellwall.revocations/7" }],
    ["unreadable", { serials: "all" }],
    ["other-trust-domain", { trustDomain: "other.example" }],
  ])("are refused as `%s` for %j", async (reason, change) => {
    const { revocations } = await agent();
    const document = {
      format: "cellwall.revocations/1",
      trustDomain: "shop.example",
      sequence: 1,
      issuedAt: new Date().toISOString(),
      serials: [],
      identities: [],
      nodes: [],
      ...change,
    };
    expect(await revocations.take(await mesh.sign(document, "cellwall-revocations+jws"))).toMatchObject(
      refused(reason),
    );
  });

  it("are in force again after a restart, verified again, before any bundle", async () => {
    const first = await agent();
    await first.bundles.take(await mesh.bundle());
    await first.revocations.take(await mesh.revocations({ sequence: 8, identities }));
    const second = await agent();
    expect(await second.revocations.restore()).toEqual({ kind: "applied" });
    await second.bundles.restore();
    expect([second.ask(), second.state.revocations.sequence]).toEqual(["403 revoked-identity", 8]);
    const path = join(folder, "revocations.json");
    const stored = JSON.parse(readFileSync(path, "utf8"));
    const text = Buffer.from(stored.envelope.payload, "base64url").toString().replace(WEB, ORDERS);
    writeFileSync(
      path,
      JSON.stringify({ ...stored, envelope: { ...stored.envelope, payload: Buffer.from(text).toString("base64url") } }),
    );
    expect(await (await agent()).revocations.restore()).toMatchObject(refused("unknown-signer"));
  });

  it("from before the newest ones, on disk: what the authority sends takes their place", async () => {
    const first = await agent();
    await first.bundles.take(await mesh.bundle());
    await first.revocations.take(await mesh.revocations({ sequence: 1 }));
    const image = await agent();
    await image.revocations.restore();
    await image.bundles.restore();
    expect(image.ask()).toBe("allowed");
    await image.revocations.take(await mesh.revocations({ sequence: 2, identities }));
    expect(image.ask()).toBe("403 revoked-identity");
  });

  it("raise the clock to their issue", async () => {
    const { clock, revocations } = await agent();
    const issuedAt = new Date(Date.now() + 30_000);
    await revocations.take(await mesh.revocations({ issuedAt: issuedAt.toISOString() }));
    expect(clock.nowMs()).toBeGreaterThanOrEqual(issuedAt.getTime());
  });
});
