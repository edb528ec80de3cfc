import { Agent } from "node:http";
import { get } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalMesh } from "../../cli/local-mesh/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import { capturingLogger } from "../../ext-authz/testing/capture.ts";
import { certificatesToPem } from "../../spiffe/index.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type Answer, http1 } from "../support/clients.ts";
import { ownIdentity } from "../support/forged-identities.ts";
import { meshDocuments, workloadDocument } from "../support/mesh-documents.ts";
import { decisionAfter, startTestMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

const MESH = meshDocuments({
  workloads: { web: { calls: ["orders"] }, orders: { mode: "enforce", listens: [{ port: 8443 }] } },
});

const LATE = workloadDocument("late");

const ACCESS = `
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: web-reads
      from:
        - workload: web
      requests:
        - GET /orders/{id:int}
  deny:
    - name: nobody-exports
      requests:
        - ANY /orders/export
    - name: nobody-administers
      requests:
        - ANY /admin/**
      always: true
`.trimStart();

// Stands in for the live policy of its name: one line more, one line fewer.
const CANDIDATE = `
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  stage: candidate
  protects: { workload: orders }
  allow:
    - name: web-reads-invoices
      from:
        - workload: web
      requests:
        - GET /invoices/{id:int}
`.trimStart();

describe("edits of policies on disk, while the mesh runs", () => {
  const log = capturingLogger();
  let mesh: LocalMesh;
  let app: TestApp;
  /** One connection from the app to its sidecar, open through all of these tests. */
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    const files = [
      { path: "mesh.yaml", text: MESH },
      { path: "access.yaml", text: ACCESS },
      { path: "candidate.yaml", text: "# none yet\n" },
      { path: "late.yaml", text: "# none yet\n" },
    ];
    mesh = await startTestMesh(files, { log });
    app = await http1App(mesh.appSocket("orders", 8443));
    await mesh.startSidecars();
  });
  afterAll(async () => {
    kept.destroy();
    await mesh?.stop();
    await app?.close();
  });

  const call = (path: string): Promise<Answer> =>
    http1({ socket: mesh.callSocket("web", "orders"), path, agent: kept });

  /** Calls and returns the answer, the decision, and how many requests arrived. */
  async function decided(path: string) {
    const mark = mesh.records.mark();
    const before = app.requests.length;
    const answer = await call(path);
    const decision = await decisionAfter(mesh, mark, (one: LogRecord) => one.workload === "shop/orders");
    return { answer, decision, arrived: app.requests.length - before };
  }

  /** The decision about a path once it comes out that way. */
  const decidedAs = (path: string, fits: (seen: Awaited<ReturnType<typeof decided>>) => boolean) =>
    until(() => decided(path), fits, { what: `the edit to decide about ${path}` });

  const inForce = (): string => {
    const { epoch, revision } = mesh.mesh.agent.status().policy;
    return `${epoch}.${revision}`;
  };

  it("take effect without a restart, on a connection that is open, under a new revision", async () => {
    expect((await decided("/orders/42")).answer.status).toBe(200);
    expect((await decided("/invoices/42")).decision.reason).toBe("no-rule-matched");
    const before = inForce();
    await mesh.edit("access.yaml", (text) =>
      text.replace("- GET /orders/{id:int}\n", "- GET /orders/{id:int}\n        - GET /invoices/{id:int}\n"),
    );
    const { answer, decision } = await decidedAs("/invoices/42", ({ answer: { status } }) => status === 200);
    expect(answer.body).toBe("GET /invoices/42");
    expect(decision.line).toBe("shop/orders/web-reads#GET /invoices/{id:int}");
    expect(inForce()).not.toBe(before);
    expect(`${decision.epoch}.${decision.revision}`).toBe(inForce());
    await mesh.edit("access.yaml", () => ACCESS);
    const taken = await decidedAs("/invoices/42", ({ answer: { status } }) => status !== 200);
    expect(taken).toMatchObject({ answer: { status: 403 }, arrived: 0, decision: { reason: "no-rule-matched" } });
  });

  it("keep the last good revision in force where they are broken, and say so in log, metrics and status", async () => {
    const before = inForce();
    const metrics = (): Promise<string> => authorityMetrics(mesh);
    expect(await metrics()).toMatch(/^cellwall_authority_refused_edit 0$/m);
    await mesh.edit("access.yaml", (text) => text.replace("requests:", "reqeusts:"));
    await until(
      () => mesh.mesh.authority.status().refused,
      (refused) => refused !== undefined,
    );
    expect(mesh.mesh.authority.status().refused?.first).toMatchObject({
      severity: "error",
      message: expect.stringContaining("reqeusts"),
      span: { file: expect.stringContaining("access.yaml"), line: 10 },
    });
    expect(mesh.mesh.authority.status().bundle).toMatchObject({ revision: Number(before.split(".")[1]) });
    expect(await metrics()).toMatch(/^cellwall_authority_refused_edit 1$/m);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: `the policies are refused; revision ${before} stays in force` }),
    );
    expect((await decided("/orders/42")).answer.status).toBe(200);
    expect((await decided("/orders/export")).decision.reason).toBe("denied-by-rule");
    expect(inForce()).toBe(before);
    await mesh.edit("access.yaml", () => ACCESS);
    await until(
      () => mesh.mesh.authority.status().refused,
      (refused) => refused === undefined,
    );
    expect(await metrics()).toMatch(/^cellwall_authority_refused_edit 0$/m);
  });

  it("bring a workload in and take it away again, with its identity", async () => {
    await mesh.edit("late.yaml", () => LATE);
    await until(
      () => mesh.mesh.agent.status().workloads.find(({ workload }) => workload === "shop/late")?.svid.state,
      (state) => state === "present",
    );
    await until(
      () => mesh.mesh.agent.status().workloads.find(({ workload }) => workload === "shop/late")?.state,
      (state) => state === "serving",
    );
    await expect(ownIdentity(mesh.sockets("late").workload)).resolves.toBeDefined();
    await mesh.edit("late.yaml", () => "# gone\n");
    await until(
      () => mesh.mesh.agent.status().workloads.map(({ workload }) => workload),
      (names) => !names.includes("shop/late"),
    );
    await until(
      () =>
        ownIdentity(mesh.sockets("late").workload).then(
          () => "handed out",
          () => "refused",
        ),
      (answer) => answer === "refused",
    );
    expect((await decided("/orders/42")).answer.status).toBe(200);
  });

  describe("monitor mode", () => {
    beforeAll(async () => {
      await mesh.edit("mesh.yaml", (text) => text.replace("mode: enforce", "mode: monitor"));
      await decidedAs("/nowhere", ({ answer: { status } }) => status === 200);
    });
    afterAll(async () => {
      await mesh.edit("mesh.yaml", () => MESH);
      await decidedAs("/nowhere", ({ answer: { status } }) => status === 403);
    });

    it.each([
      ["/nowhere", "no-rule-matched"],
      ["/orders/export", "denied-by-rule"],
    ])("lets %s through and records that it would be denied as %s", async (path, reason) => {
      const { answer, decision, arrived } = await decided(path);
      expect(decision).toMatchObject({ verdict: "allow", evaluated: "deny", mode: "monitor", reason });
      expect(answer.status).toBe(200);
      expect(arrived).toBe(1);
    });

    it("does not relax a deny that holds always", async () => {
      const { answer, decision, arrived } = await decided("/admin/users");
      expect(decision).toMatchObject({ verdict: "deny", evaluated: "deny", mode: "monitor", reason: "denied-by-rule" });
      expect(answer.status).toBe(403);
      expect(arrived).toBe(0);
    });

    it("relaxes a path that has two readings only where no deny that holds always could mean it", async () => {
      const held = await decided("/orders/a;b");
      expect(held.decision).toMatchObject({ verdict: "deny", mode: "monitor", reason: "ambiguous-path" });
      expect(held).toMatchObject({ answer: { status: 403 }, arrived: 0 });
      await mesh.edit("access.yaml", (text) => text.replace("      always: true\n", ""));
      const relaxed = await decidedAs("/orders/a;b", ({ answer: { status } }) => status === 200);
      expect(relaxed.decision).toMatchObject({ verdict: "allow", evaluated: "deny", reason: "ambiguous-path" });
      expect(relaxed.arrived).toBe(1);
      await mesh.edit("access.yaml", () => ACCESS);
      await decidedAs("/admin/users", ({ answer: { status } }) => status === 403);
    });
  });

  describe("candidate policies", () => {
    beforeAll(async () => {
      await mesh.edit("candidate.yaml", () => CANDIDATE);
      await decidedAs("/orders/42", ({ decision }) => decision.candidate !== undefined);
    });

    it("change no verdict and record what they would deny", async () => {
      const { answer, decision } = await decided("/orders/42");
      expect(answer.status).toBe(200);
      expect(decision).toMatchObject({
        verdict: "allow",
        reason: "allowed-by-rule",
        candidate: { verdict: "deny", reason: "no-rule-matched" },
      });
    });

    it("change no verdict and record what they would allow, with the line", async () => {
      const { answer, decision, arrived } = await decided("/invoices/42");
      expect(answer.status).toBe(403);
      expect(arrived).toBe(0);
      expect(decision).toMatchObject({
        verdict: "deny",
        reason: "no-rule-matched",
        candidate: {
          verdict: "allow",
          reason: "allowed-by-rule",
          line: "shop/orders/web-reads-invoices#GET /invoices/{id:int}",
        },
      });
    });
  });
});

/** The authority's metrics, over its own address and its own root. */
function authorityMetrics(mesh: LocalMesh): Promise<string> {
  const ca = certificatesToPem(mesh.mesh.ca.trustBundle().x509Authorities);
  return new Promise((resolve, reject) => {
    get(`${mesh.mesh.url}/metrics`, { ca, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.once("end", () => resolve(text));
    }).once("error", reject);
  });
}
