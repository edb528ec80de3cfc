import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSpiffeId, type TrustBundle } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { createCheckHandler } from "../check-handler.ts";
import { MonotonicClock } from "../monotonic-clock.ts";
import { PolicyState } from "../policy-state.ts";
import { readAnswer } from "../testing/check-answer.ts";
import { checkRequest } from "../testing/check-request.ts";
import { type BundleChoice, ORDERS, signedMesh, tampered, WEB } from "../testing/signed-mesh.ts";
import { BundleIntake } from "./bundle-intake.ts";
import { StateDir } from "./state-dir.ts";

const MAX_STALE_MS = 3_600_000;
const mesh = signedMesh();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Setup {
  readonly trust?: TrustBundle | undefined;
  readonly serve?: readonly string[];
  readonly wallMs?: () => number;
  readonly floor?: Date;
}

/** An agent's intake with its handler for `orders`, over the test's state folder. */
async function agent(setup: Setup = {}) {
  const wall = (): Date => new Date(setup.wallMs?.() ?? Date.now());
  const clock = new MonotonicClock({ wall, monotonicMs: () => 0 }, setup.floor);
  const state = new PolicyState(MAX_STALE_MS);
  const fetched: string[] = [];
  const served = new Map(mesh.shards);
  const intake = new BundleIntake({
    clock,
    state,
    files: new StateDir(folder),
    trust: () => ("trust" in setup ? setup.trust : mesh.trust),
    fetchShard: async (sha256) => {
      fetched.push(sha256);
      const bytes = served.get(sha256) ?? mesh.shards.get(sha256);
      if (bytes === undefined) throw new Error("no such shard");
      return bytes;
    },
  });
  await intake.serve(setup.serve ?? [ORDERS]);
  const handler = createCheckHandler({
    workload: "shop/orders",
    destination: parseSpiffeId(ORDERS),
    view: () => state.view,
    nowMs: () => clock.nowMs(),
    observe: () => undefined,
  });
  const ask = (path = "/orders", caller = WEB) => {
    const answer = readAnswer(handler(checkRequest({ caller, destination: ORDERS, http: { method: "GET", path } })));
    return answer.status === 0 ? "allowed" : `${answer.httpStatus} ${answer.reason}`;
  };
  return { intake, state, clock, ask, fetched, served };
}

const refused = (reason: string) => ({ kind: "refused", refusal: { reason } });

describe("a policy bundle from the authority", () => {
  it("is verified, compiled and decides", async () => {
    const { ask, intake } = await agent();
    expect(ask()).toBe("503 no-policy");
    expect(await intake.take(await mesh.bundle())).toEqual({ kind: "applied" });
    expect([ask(), ask("/other"), ask("/orders", "spiffe://shop.example/shop/nobody")]).toEqual([
      "allowed",
      "403 no-rule-matched",
      "403 unregistered-identity",
    ]);
  });

  it("is unchanged when it comes again", async () => {
    const { intake } = await agent();
    const envelope = await mesh.bundle();
    await intake.take(envelope);
    expect(await intake.take(envelope)).toEqual({ kind: "unchanged" });
  });

  it("no bundle: everything is denied, for a workload in monitor too", async () => {
    const { ask } = await agent();
    expect([ask(), ask("/other")]).toEqual(["503 no-policy", "503 no-policy"]);
  });

  describe("unknown signer: it is refused and what was in force stays", () => {
    const cases: [string, () => Promise<BundleChoice>][] = [
      ["another workload's identity", async () => ({ signer: mesh.svidOf(WEB) })],
      [
        "the authority's own identity",
        async () => ({ signer: mesh.svidOf("spiffe://shop.example/cellwall/authority") }),
      ],
      [
        "the right identity under another root",
        async () => ({
          signer: createTestCa({ trustDomain: "shop.example" })
            .issue({ uris: ["spiffe://shop.example/cellwall/policy-signer"] })
            .svid(),
        }),
      ],
      [
        "the same role of another trust domain",
        async () => ({
          signer: createTestCa({ trustDomain: "evil.example" })
            .issue({ uris: ["spiffe://evil.example/cellwall/policy-signer"] })
            .svid(),
        }),
      ],
      [
        "a signer whose certificate has run out",
        async () => ({
          signer: mesh.intermediate
            .issue({
              uris: ["spiffe://shop.example/cellwall/policy-signer"],
              notBefore: new Date(Date.now() - 7_200_000),
              notAfter: new Date(Date.now() - 1_000),
            })
            .svid(),
        }),
      ],
      ["a signature for another kind of document", async () => ({ typ: "cellwall-revocations+jws" })],
    ];
    it.each(cases)("%s", async (_name, choice) => {
      const { ask, intake } = await agent();
      await intake.take(await mesh.bundle());
      expect(await intake.take(await mesh.bundle({ revision: 2, path: "/other", ...(await choice()) }))).toMatchObject(
        refused("unknown-signer"),
      );
      expect([ask(), ask("/other")]).toEqual(["allowed", "403 no-rule-matched"]);
    });

    it("tampered content under a good signature", async () => {
      const { ask, intake } = await agent();
      await intake.take(await mesh.bundle());
      const envelope = tampered(await mesh.bundle({ revision: 2 }), (text) =>
        text.replace('"revision":2', '"revision":3'),
      );
      expect(await intake.take(envelope)).toMatchObject(refused("unknown-signer"));
      expect(ask()).toBe("allowed");
    });

    it("before the agent has trust anchors", async () => {
      const { ask, intake } = await agent({ trust: undefined });
      expect(await intake.take(await mesh.bundle())).toMatchObject(refused("unknown-signer"));
      expect(ask()).toBe("503 no-policy");
    });
  });

  it("tampered shard: the whole bundle is refused and what was in force stays", async () => {
    const { ask, intake, served } = await agent();
    await intake.take(await mesh.bundle());
    const next = await mesh.bundle({ revision: 2, path: "/other" });
    for (const [sha256, bytes] of mesh.shards)
      served.set(sha256, Buffer.from(bytes.toString().replaceAll("/other", "/third")));
    expect(await intake.take(next)).toMatchObject(refused("tampered-shard"));
    expect([ask(), ask("/other"), ask("/third")]).toEqual(["allowed", "403 no-rule-matched", "403 no-rule-matched"]);
    served.clear();
    expect(await intake.take(next)).toEqual({ kind: "applied" });
    expect(ask("/other")).toBe("allowed");
  });

  it("a shard that speaks for another destination is refused, though its hash is right", async () => {
    const { intake } = await agent();
    const envelope = await mesh.bundle();
    const manifest = JSON.parse(Buffer.from(envelope.payload, "base64url").toString());
    const crossed = { ...manifest, shards: { [ORDERS]: manifest.shards[WEB] } };
    expect(await intake.take(await mesh.sign(crossed, "cellwall-bundle+jws"))).toMatchObject(refused("tampered-shard"));
  });

  it("older revision: it is refused and what was in force stays", async () => {
    const { ask, intake } = await agent();
    await intake.take(await mesh.bundle({ epoch: 2, revision: 5 }));
    expect(await intake.take(await mesh.bundle({ epoch: 2, revision: 4, path: "/other" }))).toMatchObject(
      refused("older-revision"),
    );
    expect(await intake.take(await mesh.bundle({ epoch: 1, revision: 9, path: "/other" }))).toMatchObject(
      refused("older-revision"),
    );
    expect([ask(), ask("/other")]).toEqual(["allowed", "403 no-rule-matched"]);
  });

  it("a higher epoch is newer, whatever its revision", async () => {
    const { ask, intake } = await agent();
    await intake.take(await mesh.bundle({ epoch: 1, revision: 50 }));
    expect(await intake.take(await mesh.bundle({ epoch: 2, revision: 1, path: "/other" }))).toEqual({
      kind: "applied",
    });
    expect(ask("/other")).toBe("allowed");
  });

  it("same revision with another digest: it is refused as a conflict", async () => {
    const { ask, intake } = await agent();
    await intake.take(await mesh.bundle({ revision: 5 }));
    expect(await intake.take(await mesh.bundle({ revision: 5, path: "/other" }))).toMatchObject(
      refused("revision-conflict"),
    );
    expect(ask("/other")).toBe("403 no-rule-matched");
  });

  it("expired when first seen: it is never used", async () => {
    const { ask, intake } = await agent();
    const expired = await mesh.bundle({ expiresAt: new Date(Date.now() - 1).toISOString() });
    expect(await intake.take(expired)).toMatchObject(refused("expired-when-first-seen"));
    expect(ask()).toBe("503 no-policy");
  });

  it("expired past `maxStale`: it decides until then and denies with 503 `stale-policy` afterwards", async () => {
    let wallMs = Date.now();
    const { ask, intake, state, clock } = await agent({ wallMs: () => wallMs });
    const expiresAtMs = wallMs + 60_000;
    await intake.take(await mesh.bundle({ expiresAt: new Date(expiresAtMs).toISOString() }));
    wallMs = expiresAtMs + MAX_STALE_MS - 1;
    expect([ask(), state.freshness(clock.nowMs())]).toEqual(["allowed", "expired"]);
    wallMs = expiresAtMs + MAX_STALE_MS + 1;
    expect([ask(), state.freshness(clock.nowMs())]).toEqual(["503 stale-policy", "stale"]);
  });

  it("clock set back: a stale bundle stays stale", async () => {
    let wallMs = Date.now();
    const { ask, intake } = await agent({ wallMs: () => wallMs });
    await intake.take(await mesh.bundle({ expiresAt: new Date(wallMs + 60_000).toISOString() }));
    const startMs = wallMs;
    wallMs += 60_000 + MAX_STALE_MS + 1;
    expect(ask()).toBe("503 stale-policy");
    wallMs = startMs;
    expect(ask()).toBe("503 stale-policy");
  });

  it("clock set back across a restart: the kept floor holds", async () => {
    const now = Date.now();
    const first = await agent();
    await first.intake.take(await mesh.bundle({ expiresAt: new Date(now + 60_000).toISOString() }));
    const later = await agent({ floor: new Date(now + 60_000 + MAX_STALE_MS + 1) });
    expect(await later.intake.restore()).toEqual({ kind: "applied" });
    expect(later.ask()).toBe("503 stale-policy");
  });

  it("workload absent from the bundle: it is denied with 503 `unknown-destination`", async () => {
    const { ask, intake, state } = await agent();
    expect(await intake.take(await mesh.bundle({ without: [ORDERS] }))).toEqual({ kind: "applied" });
    expect(ask()).toBe("503 unknown-destination");
    expect(state.view.bundle?.destinations).toEqual([]);
  });

  it.each([
    ["unsupported-format", { format: "cellwall.bundle/9" }],
    ["unsupported-format", { format: undefined }],
    ["unreadable", { surprise: true }],
    ["unreadable", { epoch: -1 }],
    ["other-trust-domain", { trustDomain: "other.example" }],
  ])("is refused as `%s` for %j", async (reason, change) => {
    const { intake } = await agent();
    const envelope = await mesh.bundle();
    const manifest = { ...JSON.parse(Buffer.from(envelope.payload, "base64url").toString()), ...change };
    expect(await intake.take(await mesh.sign(manifest, "cellwall-bundle+jws"))).toMatchObject(refused(reason));
  });

  it("is tried again when a shard could not be fetched", async () => {
    const { ask, intake } = await agent();
    const envelope = await mesh.bundle({ revision: 3, path: `/fresh-${Math.random()}` });
    const kept = new Map(mesh.shards);
    mesh.shards.clear();
    await expect(intake.take(envelope)).rejects.toThrow("no such shard");
    expect(ask()).toBe("503 no-policy");
    for (const [sha256, bytes] of kept) mesh.shards.set(sha256, bytes);
    expect(await intake.take(envelope)).toEqual({ kind: "applied" });
  });

  it("fetches only the shards of this node's workloads, and each content once", async () => {
    const { fetched, intake } = await agent();
    await intake.take(await mesh.bundle());
    await intake.take(await mesh.bundle({ revision: 2 }));
    expect(fetched).toHaveLength(1);
  });

  it("is compiled anew when the node's workloads change", async () => {
    const { ask, fetched, intake, state } = await agent({ serve: [WEB] });
    await intake.take(await mesh.bundle());
    expect(ask()).toBe("503 unknown-destination");
    expect(await intake.serve([WEB, ORDERS])).toEqual({ kind: "applied" });
    expect([ask(), fetched.length, state.view.bundle?.destinations.length]).toEqual(["allowed", 2, 2]);
    expect(await intake.serve([ORDERS, WEB])).toEqual({ kind: "unchanged" });
  });
});

describe("a policy bundle on disk", () => {
  async function keptBundle(choice: BundleChoice = {}): Promise<void> {
    const { intake } = await agent();
    expect(await intake.take(await mesh.bundle(choice))).toEqual({ kind: "applied" });
  }

  it("decides after a restart without the authority", async () => {
    await keptBundle();
    const { ask, fetched, intake, state } = await agent();
    expect(await intake.restore()).toEqual({ kind: "applied" });
    expect([ask(), fetched.length, state.view.bundle?.source]).toEqual(["allowed", 0, "disk"]);
  });

  it("is still good when its signer's certificate has run out since", async () => {
    const issuedAt = new Date();
    const notAfter = new Date(Date.now() + 60_000);
    const signer = mesh.intermediate.issue({ uris: ["spiffe://shop.example/cellwall/policy-signer"], notAfter }).svid();
    await keptBundle({ signer, issuedAt: issuedAt.toISOString() });
    const { ask, intake } = await agent({ wallMs: () => Date.now() + 600_000 });
    expect(await intake.restore()).toEqual({ kind: "applied" });
    expect(ask()).toBe("allowed");
  });

  it("is verified again: a changed document is refused", async () => {
    await keptBundle();
    const path = join(folder, "bundle.json");
    const stored = JSON.parse(readFileSync(path, "utf8"));
    const text = Buffer.from(stored.envelope.payload, "base64url").toString().replace('"revision":1', '"revision":2');
    writeFileSync(
      path,
      JSON.stringify({ ...stored, envelope: { ...stored.envelope, payload: Buffer.from(text).toString("base64url") } }),
    );
    const { ask, intake } = await agent();
    expect(await intake.restore()).toMatchObject(refused("unknown-signer"));
    expect(ask()).toBe("503 no-policy");
  });

  it("is verified again: another instant beside it is refused", async () => {
    await keptBundle();
    const path = join(folder, "bundle.json");
    const stored = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...stored, issuedAt: new Date().toISOString() }));
    expect(await (await agent()).intake.restore()).toMatchObject(refused("unreadable"));
  });

  it("is verified again: a changed or missing shard is refused, and fetched anew when the authority answers", async () => {
    const envelope = await mesh.bundle();
    await (await agent()).intake.take(envelope);
    const [shard = ""] = readdirSync(join(folder, "shards"));
    const path = join(folder, "shards", shard);
    writeFileSync(path, readFileSync(path, "utf8").replace("/orders", "/secret"));
    const { ask, intake } = await agent();
    expect(await intake.restore()).toMatchObject(refused("tampered-shard"));
    expect(ask()).toBe("503 no-policy");
    expect(await intake.take(envelope)).toEqual({ kind: "applied" });
    expect(ask()).toBe("allowed");
    rmSync(path);
    expect(await (await agent()).intake.restore()).toMatchObject(refused("tampered-shard"));
  });

  it("keeps its place in the order across a restart", async () => {
    await keptBundle({ revision: 7 });
    const { intake } = await agent();
    await intake.restore();
    expect(await intake.take(await mesh.bundle({ revision: 6 }))).toMatchObject(refused("older-revision"));
    expect(await intake.take(await mesh.bundle({ revision: 7, path: "/other" }))).toMatchObject(
      refused("revision-conflict"),
    );
    expect(await intake.take(await mesh.bundle({ revision: 8 }))).toEqual({ kind: "applied" });
  });

  it("keeps no shards of bundles that are gone", async () => {
    const { intake } = await agent();
    await intake.take(await mesh.bundle());
    await intake.take(await mesh.bundle({ revision: 2, path: "/other" }));
    expect(readdirSync(join(folder, "shards"))).toHaveLength(1);
  });

  it("counts as none when its file is torn or missing", async () => {
    expect(await (await agent()).intake.restore()).toEqual({ kind: "unchanged" });
    writeFileSync(join(folder, "bundle.json"), '{"envelope":');
    expect(await (await agent()).intake.restore()).toEqual({ kind: "unchanged" });
  });
});
