import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDocuments, readShards, shardOf as realShardOf, resolve } from "../policies/index.ts";
import { DOCUMENT_TYPES } from "../protocol/index.ts";
import { parseTrustDomain, systemId, verifySignedDocument } from "../spiffe/index.ts";
import {
  makeFolder,
  openTestAuthority,
  removeFolder,
  type TestAuthority,
  type TestOptions,
} from "./testing/authority.ts";
import { policySet, workload } from "./testing/policy-set.ts";

const files = [
  {
    path: "mesh.yaml",
    text: `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: db, namespace: shop }
spec:
  protects: { workload: db }
  allow:
    - name: read
      from: [{ workload: web }]
      requests:
        - GET /items/{id:int}
`,
  },
];
const web = "spiffe://shop.example/shop/web";
const db = "spiffe://shop.example/shop/db";
const DAY = 86_400;
/** A stand-in for the policies' own shards: what a test says of a destination. */
const shardOf: TestOptions["shardOf"] = (set, destination) => ({
  destination,
  mode: set.workloads.find((one) => one.identity.toString() === destination)?.mode,
});
const one = policySet([workload("web"), workload("db")]);
const two = policySet([workload("web", { mode: "monitor" }), workload("db")]);

describe("policy bundles", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    t = await openTestAuthority({ folder, shardOf });
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });
  const restart = async (): Promise<void> => {
    await t.stop();
    t = await openTestAuthority({ folder, shardOf, clock: t.clock });
  };
  const current = () => {
    const bundle = t.ca.bundle();
    if (bundle === undefined) throw new Error("no bundle");
    return bundle;
  };
  const verified = (typ: string = DOCUMENT_TYPES.bundle) =>
    verifySignedDocument({
      payload: Buffer.from(current().envelope.payload, "base64url"),
      signature: current().envelope.signature,
      typ,
      signer: systemId(t.ca.trustDomain, "policy-signer"),
      bundle: t.ca.trustBundle(),
      at: t.clock.now(),
    });

  it("are not there before the first publish", () => {
    expect(t.ca.bundle()).toBeUndefined();
    expect(t.ca.shard("0".repeat(64))).toBeUndefined();
  });

  it("are a manifest that the policy signer signed, naming each destination's shard by its SHA-256", async () => {
    expect(await t.ca.publishBundle(one, "alice")).toEqual({ published: true, epoch: 1, revision: 1 });
    const { manifest, envelope } = current();
    expect(manifest).toEqual({
      format: "cellwall.bundle/1",
      trustDomain: "shop.example",
      epoch: 1,
      revision: 1,
      issuedAt: "2030-01-01T00:00:00.000Z",
      expiresAt: "2030-01-01T01:00:00.000Z",
      publisher: "alice",
      shards: { [db]: expect.any(String), [web]: expect.any(String) },
    });
    expect(JSON.parse(Buffer.from(envelope.payload, "base64url").toString())).toEqual(manifest);
    expect(await verified()).toEqual({ ok: true });
    expect(await verified(DOCUMENT_TYPES.revocations)).toMatchObject({ ok: false });
    for (const [destination, sha256] of Object.entries(manifest.shards)) {
      const bytes = t.ca.shard(sha256) ?? Buffer.alloc(0);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
      expect(Buffer.from(bytes).toString()).toBe(`{"destination":"${destination}","mode":"enforce"}`);
    }
  });

  it("are not published again with the same content, whoever asks and whenever", async () => {
    await t.ca.publishBundle(one, "alice");
    const before = current();
    t.clock.advance(60);
    expect(await t.ca.publishBundle(policySet([...one.workloads].reverse()), "bob")).toEqual({
      published: false,
      epoch: 1,
      revision: 1,
    });
    expect(current()).toBe(before);
  });

  it("change under the next revision, and keep the shards of the one before for agents that still read it", async () => {
    await t.ca.publishBundle(one, "alice");
    const [first, shared] = [current().manifest.shards[web] ?? "", current().manifest.shards[db]];
    expect(await t.ca.publishBundle(two, "alice")).toEqual({ published: true, epoch: 1, revision: 2 });
    expect(current().manifest.shards[web]).not.toBe(first);
    expect(current().manifest.shards[db]).toBe(shared);
    expect(t.ca.shard(first)).toBeDefined();
    await t.ca.publishBundle(policySet([workload("db")]), "alice");
    expect(t.ca.shard(first)).toBeUndefined();
    expect(Object.keys(current().manifest.shards)).toEqual([db]);
    const { rows } = await sql<{ bundles: number; shards: number }>`
      select (select count(*) from ca_bundle) as bundles, (select count(*) from ca_shard) as shards`.execute(t.db);
    expect(rows).toEqual([{ bundles: 2, shards: 2 }]);
  });

  it("are served byte for byte the same after a restart, and the order goes on", async () => {
    await t.ca.publishBundle(one, "alice");
    const before = current();
    await restart();
    expect(current()).toEqual(before);
    expect(Buffer.from(t.ca.shard(before.manifest.shards[web] ?? "") ?? []).toString()).toContain(web);
    expect(await t.ca.publishBundle(one, "alice")).toEqual({ published: false, epoch: 1, revision: 1 });
    expect(await t.ca.publishBundle(two, "alice")).toEqual({ published: true, epoch: 1, revision: 2 });
  });

  it("are renewed by themselves at half their life: new revision and times, same content and publisher", async () => {
    await t.ca.publishBundle(one, "alice");
    const before = current().manifest;
    const seen: string[] = [];
    t.ca.subscribe((what) => seen.push(what));
    t.clock.advance(1799);
    await t.ca.renewDue();
    expect(current().manifest).toEqual(before);
    t.clock.advance(1);
    t.timers.fire();
    await expect.poll(() => current().manifest.revision).toBe(2);
    expect(current().manifest).toEqual({
      ...before,
      revision: 2,
      issuedAt: "2030-01-01T00:30:00.000Z",
      expiresAt: "2030-01-01T01:30:00.000Z",
    });
    await expect.poll(() => seen).toEqual(["bundle"]);
    await expect.poll(() => t.timers.pending).toBe(1);
  });

  it("are renewed at once on a start after their end", async () => {
    await t.ca.publishBundle(one, "alice");
    t.clock.advance(5 * DAY);
    await restart();
    expect(current().manifest).toMatchObject({ revision: 2, expiresAt: "2030-01-06T01:00:00.000Z" });
    expect(await verified()).toEqual({ ok: true });
  });

  it("are signed anew as soon as there is a new signer, however young they are", async () => {
    await t.ca.publishBundle(one, "alice");
    t.clock.advance(3.5 * DAY - 100);
    await t.ca.renewDue();
    expect(current().manifest.revision).toBe(2);
    t.clock.advance(200);
    await t.ca.renewDue();
    expect(current().manifest.revision).toBe(3);
    expect(await verified()).toEqual({ ok: true });
  });

  it("are renewed once a clock that was ahead has been set right", async () => {
    await t.ca.publishBundle(one, "alice");
    t.clock.advance(-DAY);
    await t.ca.renewDue();
    expect(current().manifest).toMatchObject({ revision: 2, issuedAt: "2029-12-31T00:00:00.000Z" });
  });

  it("give each of many publishes at once a revision of its own", async () => {
    const sets = Array.from({ length: 5 }, (_, index) => policySet([workload(`w${index}`)]));
    const outcomes = await Promise.all(sets.map((set) => t.ca.publishBundle(set, "alice")));
    expect(outcomes.map((outcome) => outcome.revision)).toEqual([1, 2, 3, 4, 5]);
  });

  it("stay as they are when a publish cannot be written down", async () => {
    await t.ca.publishBundle(one, "alice");
    const before = current();
    await sql`create trigger broken before insert on ca_shard begin select raise(abort, 'disk gone'); end`.execute(
      t.db,
    );
    await expect(t.ca.publishBundle(two, "alice")).rejects.toThrow("disk gone");
    expect(current()).toBe(before);
    await sql`drop trigger broken`.execute(t.db);
    expect(await t.ca.publishBundle(two, "alice")).toEqual({ published: true, epoch: 1, revision: 2 });
  });

  it("carry real policies: what an agent reads from the shards decides as the whole set does", async () => {
    const parsed = parseDocuments(files);
    const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
    await t.stop();
    await removeFolder(folder);
    await mkdir(folder);
    t = await openTestAuthority({ folder, trustDomain: set.mesh.trustDomain });
    expect(set.diagnostics).toEqual([]);
    expect(await t.ca.publishBundle(set, "alice")).toMatchObject({ published: true });
    expect(Object.keys(current().manifest.shards)).toEqual([...set.destinations].sort());
    for (const [destination, sha256] of Object.entries(current().manifest.shards)) {
      const shard: unknown = JSON.parse(Buffer.from(t.ca.shard(sha256) ?? []).toString());
      expect(readShards([shard]).destinations).toEqual([destination]);
      expect(shard).toEqual(JSON.parse(JSON.stringify(realShardOf(set, destination))));
    }
    expect(await t.ca.publishBundle(resolve(parsed.documents), "alice")).toMatchObject({ published: false });
  });

  it("are made of no set with errors, and of no other trust domain's", async () => {
    const span = { file: "a.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };
    const wrong = policySet([], [], {
      diagnostics: [{ severity: "error", code: "ERR_POLICY_X", span, message: "no such thing" }],
    });
    await expect(t.ca.publishBundle(wrong, "alice")).rejects.toMatchObject({
      code: "ERR_CA_POLICY_SET",
      message: expect.stringContaining("no such thing"),
    });
    const foreign = policySet([], [], { mesh: { ...one.mesh, trustDomain: parseTrustDomain("other.example") } });
    await expect(t.ca.publishBundle(foreign, "alice")).rejects.toMatchObject({ code: "ERR_CA_POLICY_SET" });
    const warned = policySet([], [], {
      diagnostics: [{ severity: "warning", code: "ERR_POLICY_X", span, message: "hm" }],
    });
    expect(await t.ca.publishBundle(warned, "alice")).toMatchObject({ published: true });
  });

  it("are refused from a store whose shards have been touched", async () => {
    await t.ca.publishBundle(one, "alice");
    await sql`update ca_shard set content = x'7b7d'`.execute(t.db);
    await t.stop();
    await expect(openTestAuthority({ folder, shardOf, clock: t.clock })).rejects.toMatchObject({
      code: "ERR_CA_STATE",
    });
  });
});
