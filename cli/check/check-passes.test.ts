import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const OPEN = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: cards, namespace: shop, labels: { data: pci } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: cards, namespace: shop }
spec:
  protects: { workload: cards }
  owner: team-pay
  allow:
    - name: everybody
      from:
        - workload: web
      requests:
        - GET /cards/{id}
---
apiVersion: cellwall.dev/v1
kind: Guardrail
metadata: { name: cards, namespace: mesh }
spec: { never: [{ from: { workload: shop/web }, to: { labels: { data: pci } } }] }
`;

describe("cellwall check", () => {
  const folder = useTempFolder();
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder(), path, ".."), { recursive: true });
    writeFileSync(join(folder(), path), text);
  };
  const check = async (...argv: readonly string[]) => {
    const io = capturedIo(folder());
    const code = await run(["check", ...argv], io);
    return { code, out: io.out(), err: io.err() };
  };
  const broken = async (): Promise<void> => {
    await run(["init"], capturedIo(folder()));
    write("policies/more.yaml", OPEN);
  };

  it("finds a broken guardrail with its witness, and ends with 1", async () => {
    await broken();
    const { code, out, err } = await check("--only", "guardrails");
    expect([code, err]).toEqual([1, ""]);
    expect(out).toContain("[guardrail-never]");
    expect(out).toContain("shop/web → shop/cards: GET /cards/");
    expect(out).toContain("guardrails: 1 guardrail broken in 1 place");
  });

  it("runs only what is named, and refuses other names", async () => {
    await broken();
    expect((await check("--only", "test")).out).not.toContain("guardrail-never");
    expect((await check("--only", "nonsense")).code).toBe(2);
  });

  it("does not let a comment silence a guardrail", async () => {
    await broken();
    write(
      "policies/more.yaml",
      OPEN.replace(
        "metadata: { name: cards, namespace: mesh }",
        "metadata: { name: cards, namespace: mesh } # cellwall:ignore guardrail-never please",
      ),
    );
    const { code, out } = await check("--only", "guardrails");
    expect([code, out.includes("[guardrail-never]"), out.includes("[suppression-refused]")]).toEqual([1, true, true]);
  });

  it("writes SARIF with a fingerprint a result, and JUnit with a suite a pass", async () => {
    await broken();
    const sarif = JSON.parse((await check("--only", "guardrails", "--output", "sarif")).out);
    expect(sarif.runs[0].results[0]).toMatchObject({
      ruleId: "guardrail-never",
      partialFingerprints: { "cellwall/v1": expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const { out } = await check("--output", "junit");
    for (const suite of ["policies", "lint", "guardrails"]) expect(out).toContain(`<testsuite name="${suite}"`);
  });

  it("judges a folder as part of what others publish, and tells only what is its own", async () => {
    await broken();
    write("own/policy.yaml", OPEN.split("---\n")[1]?.replaceAll("name: cards,", "name: own,") ?? "");
    expect((await check("own", "--only", "guardrails")).code).toBe(1);
    const [workload, , guardrail] = OPEN.split("---\n");
    write("policies/more.yaml", `${workload}---\n${guardrail}`);
    const judged = await check("own", "--only", "guardrails", "--against", "policies");
    expect([judged.code, judged.out]).toEqual([1, expect.stringContaining("[guardrail-never]")]);
    write("policies/more.yaml", OPEN.split("---\n")[0] ?? "");
    const fine = await check("own", "--only", "guardrails", "--against", "policies");
    expect([fine.code, fine.err]).toEqual([0, ""]);
    expect((await check("own", "--against", "nowhere.json")).code).toBe(3);
  });

  it("replaces what a source has published", async () => {
    await broken();
    const text = (await import("node:fs")).readFileSync(join(folder(), "policies/mesh.yaml"), "utf8");
    const files = [
      { path: "mesh.yaml", text, source: "" },
      { path: "more.yaml", text: OPEN, source: "pay" },
    ];
    write("published.json", JSON.stringify({ epoch: 1, revision: 1, publisher: "x", files }));
    write("own/w.yaml", OPEN.split("---\n")[0] ?? "");
    const { code, out } = await check("own", "--only", "guardrails", "--against", "published.json", "--source", "pay");
    expect([code, out]).toEqual([0, expect.stringContaining("ok: 1 file")]);
  });
});
