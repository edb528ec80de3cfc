import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Agent, type AgentOptions, createAgent, type LogRecord } from "../../ext-authz/index.ts";
import { capturingLogger } from "../../ext-authz/testing/capture.ts";
import { type BundleChoice, ORDERS, signedMesh, tampered, WEB } from "../../ext-authz/testing/signed-mesh.ts";
import type { SignedEnvelope } from "../../protocol/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { type ScriptedAuthority, startScriptedAuthority } from "../support/scripted-authority.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

// A real agent with its sockets, over real TLS, against an authority that serves whatever the test has signed.
let authority: ScriptedAuthority;
let folder = "";
let agent: Agent;
let orders: CheckClient | undefined;
let records: LogRecord[] = [];
/** How far the agent's wall clock is from the host's. */
let aheadMs = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  authority = await startScriptedAuthority();
  aheadMs = 0;
  records = [];
});
afterEach(async () => {
  orders?.close();
  await agent?.stop();
  await authority.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<AgentOptions> = {}): Promise<void> {
  agent = createAgent({
    authorityUrl: authority.url,
    joinToken: authority.joinToken,
    stateDir: join(folder, "agent"),
    runDir: join(folder, "run"),
    log: capturingLogger(),
    clock: () => new Date(Date.now() + aheadMs),
    decisionLog: { listener: (record) => records.push(record) },
    maxStaleMs: HOUR_MS,
    ...options,
  });
  await agent.start();
  orders = checkClient(join(folder, "run"), "orders");
}

/** Stops the agent, changes what is on its disk, and starts it where the authority does not answer. */
async function restartAlone(change: () => void = () => {}): Promise<void> {
  orders?.close();
  await agent.stop();
  await authority.close();
  change();
  await start();
}

function check(path = "/orders", more: { readonly caller?: string; readonly destination?: string } = {}) {
  if (orders === undefined) throw new Error("no agent runs");
  return orders.check({ caller: WEB, destination: ORDERS, http: { method: "GET", path }, ...more });
}

/** Serves a bundle and waits until the agent has it in force. */
async function inForce(choice: BundleChoice = {}): Promise<void> {
  authority.bundle = await authority.mesh.bundle(choice);
  const { revision = 1, epoch = 1 } = choice;
  await until(
    () => agent.status().policy,
    (policy) => policy.revision === revision && policy.epoch === epoch,
  );
}

/** Serves a bundle and waits until the agent has refused it for this reason. */
async function refused(bundle: SignedEnvelope, reason: string): Promise<void> {
  authority.bundle = bundle;
  const { refused: refusal } = await until(
    () => agent.status().policy,
    ({ refused: one }) => one !== undefined,
  );
  expect(refusal).toMatchObject({ reason });
}

const lastReason = (): string | undefined => records.filter(({ kind }) => kind === "decision").at(-1)?.reason;

describe("no bundle", () => {
  it("denies everything", async () => {
    await start();
    expect(await check()).toBe("503 no-policy");
    expect(agent.ready()).toBe(false);
    await until(lastReason, (reason) => reason === "no-policy");
  });

  it.each([
    ["is gone from the disk", "bundle.json", undefined],
    ["is torn on the disk", "bundle.json", "{"],
  ])("denies everything to a workload in monitor too, where its bundle %s", async (_what, file, content) => {
    await start();
    await inForce({ mode: "monitor" });
    expect(await check("/anywhere")).toBe("allowed");
    await restartAlone(() => {
      const path = join(folder, "agent", file);
      if (content === undefined) rmSync(path);
      else writeFileSync(path, content);
    });
    expect([await check("/anywhere"), await check("/orders")]).toEqual(["503 no-policy", "503 no-policy"]);
    expect(agent.ready()).toBe(false);
  });
});

describe("unknown signer", () => {
  const signers: readonly [string, () => Promise<SignedEnvelope>][] = [
    ["a policy signer of another root", () => signedMesh().bundle()],
    ["a registered workload", () => authority.mesh.bundle({ signer: authority.mesh.svidOf(WEB) })],
    ["the authority's own name", () => signedBy("spiffe://shop.example/cellwall/authority")],
    ["a name below the policy signer's", () => signedBy("spiffe://shop.example/cellwall/policy-signer/2")],
    [
      "a policy signer of another trust domain, under this one's root",
      () => signedBy("spiffe://other.example/cellwall/policy-signer"),
    ],
    ["a policy signer whose certificate has expired", async () => authority.mesh.bundle({ signer: expiredSigner() })],
    [
      "the policy signer, of a content that was changed afterwards",
      async () => tampered(await authority.mesh.bundle(), (text) => text.replace('"test"', '"evil"')),
    ],
    [
      "the policy signer, as another kind of document",
      () => authority.mesh.bundle({ typ: "cellwall-revocations+jws" }),
    ],
  ];
  const signedBy = (id: string): Promise<SignedEnvelope> =>
    authority.mesh.bundle({ signer: authority.mesh.svidOf(id) });
  const expiredSigner = () => {
    const uris = ["spiffe://shop.example/cellwall/policy-signer"];
    return authority.mesh.intermediate.issue({ uris, notAfter: new Date(Date.now() - 60_000) }).svid();
  };

  it.each(signers)("puts nothing in force that was signed by %s", async (_what, sign) => {
    await start();
    await refused(await sign(), "unknown-signer");
    expect(await check()).toBe("503 no-policy");
  });

  it("keeps what is in force", async () => {
    await start();
    await inForce();
    const evil = createTestCa({ trustDomain: "shop.example" });
    const signer = evil.issue({ uris: ["spiffe://shop.example/cellwall/policy-signer"] }).svid();
    await refused(await authority.mesh.bundle({ revision: 2, path: "/evil", signer }), "unknown-signer");
    expect([await check("/evil"), await check("/orders")]).toEqual(["403 no-rule-matched", "allowed"]);
    expect(agent.status().policy).toMatchObject({ state: "current", revision: 1 });
  });
});

describe("tampered shard", () => {
  /** A shard that is sound in itself and allows another path: only its hash tells. */
  const changed = (bytes: Buffer): Buffer => {
    const text = bytes.toString("utf8");
    return Buffer.from(
      text
        .replace('"text":"/orders"', '"text":"/others"')
        .replace('"value":"orders"', '"value":"others"')
        .replace('"text":"GET /orders"', '"text":"GET /others"'),
    );
  };

  it("is refused on its way, and nothing is in force", async () => {
    authority.shard = (sha256) => {
      const bytes = authority.mesh.shards.get(sha256);
      return bytes === undefined ? undefined : changed(bytes);
    };
    await start();
    await refused(await authority.mesh.bundle(), "tampered-shard");
    expect([await check(), await check("/others")]).toEqual(["503 no-policy", "503 no-policy"]);
  });

  it("is refused on its way, and what is in force stays", async () => {
    await start();
    await inForce();
    authority.shard = () => Buffer.from("{}");
    await refused(await authority.mesh.bundle({ revision: 2, path: "/new" }), "tampered-shard");
    expect([await check("/new"), await check("/orders")]).toEqual(["403 no-rule-matched", "allowed"]);
  });

  it("is refused on the disk", async () => {
    await start();
    await inForce();
    await restartAlone(() => {
      const shards = join(folder, "agent", "shards");
      for (const name of readdirSync(shards))
        writeFileSync(join(shards, name), changed(readFileSync(join(shards, name))));
    });
    expect(agent.status().policy.refused).toMatchObject({ reason: "tampered-shard" });
    expect([await check(), await check("/others")]).toEqual(["503 no-policy", "503 no-policy"]);
  });
});

describe("older revision", () => {
  it.each([
    ["an older revision", { revision: 4 }, "older-revision"],
    ["an older epoch, whatever its revision", { epoch: 1, revision: 99 }, "older-revision"],
    ["the same revision with another content", { revision: 5 }, "revision-conflict"],
  ])("refuses %s", async (_what, choice, reason) => {
    await start();
    await inForce({ epoch: 2, revision: 5 });
    await refused(await authority.mesh.bundle({ epoch: 2, path: "/evil", ...choice }), reason);
    expect([await check("/evil"), await check("/orders")]).toEqual(["403 no-rule-matched", "allowed"]);
    expect(agent.status().policy).toMatchObject({ epoch: 2, revision: 5 });
  });

  it("is refused by an agent that has restarted meanwhile", async () => {
    await start();
    await inForce({ revision: 5 });
    orders?.close();
    await agent.stop();
    authority.bundle = await authority.mesh.bundle({ revision: 4, path: "/evil" });
    await start();
    await until(
      () => agent.status().policy.refused?.reason,
      (reason) => reason === "older-revision",
    );
    expect([await check("/evil"), await check("/orders")]).toEqual(["403 no-rule-matched", "allowed"]);
  });
});

describe("workload absent from the bundle", () => {
  it("is denied everything as an unknown destination", async () => {
    await start();
    await inForce({ without: [ORDERS] });
    expect(await check()).toBe("503 unknown-destination");
  });

  it("is denied everything once a newer bundle lacks it", async () => {
    await start();
    await inForce();
    expect(await check()).toBe("allowed");
    await inForce({ revision: 2, without: [ORDERS] });
    expect(await check()).toBe("503 unknown-destination");
    await until(lastReason, (reason) => reason === "unknown-destination");
  });
});

describe("a sidecar of another workload on a workload's socket", () => {
  it("is denied everything as an unknown destination", async () => {
    await start();
    await inForce();
    expect(await check("/orders", { destination: WEB })).toBe("503 unknown-destination");
    expect(await check("/orders", { destination: "" })).toBe("503 unknown-destination");
    expect(await check("/orders")).toBe("allowed");
  });
});

describe("bundle expired past `maxStale`", () => {
  it.each(["enforce", "monitor"] as const)("denies everything to a workload in %s, and not before", async (mode) => {
    await start();
    await inForce({ mode });
    aheadMs = 2 * HOUR_MS - 60_000;
    expect(await check()).toBe("allowed");
    expect(agent.status().policy.state).toBe("expired");
    aheadMs = 2 * HOUR_MS + 60_000;
    expect(await check()).toBe("503 stale-policy");
    expect(agent.ready()).toBe(false);
    expect(agent.status().policy.state).toBe("stale");
  });

  it("puts a bundle that is expired when it is first seen never in force", async () => {
    await start();
    await refused(
      await authority.mesh.bundle({ expiresAt: new Date(Date.now() - 1_000).toISOString() }),
      "expired-when-first-seen",
    );
    expect(await check()).toBe("503 no-policy");
  });
});

describe("clock set back", () => {
  it("brings no stale bundle back to life", async () => {
    await start();
    await inForce();
    aheadMs = 3 * HOUR_MS;
    expect(await check()).toBe("503 stale-policy");
    aheadMs = 0;
    expect(await check()).toBe("503 stale-policy");
    expect(agent.status().clock.wallBehindSeconds).toBeGreaterThan(3_000);
  });

  it("brings none back by a restart either", async () => {
    await start();
    await inForce();
    aheadMs = 3 * HOUR_MS;
    expect(await check()).toBe("503 stale-policy");
    await restartAlone(() => {
      aheadMs = -10 * HOUR_MS;
    });
    expect(await check()).toBe("503 stale-policy");
  });

  it("does not bring a bundle back that a newer document proves to be stale", async () => {
    await start();
    await inForce();
    authority.revocations = await authority.mesh.revocations({
      issuedAt: new Date(Date.now() + 3 * HOUR_MS).toISOString(),
    });
    await until(check, (answer) => answer === "503 stale-policy");
  });
});
