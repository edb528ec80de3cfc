import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

describe("cellwall init and check", () => {
  const folder = useTempFolder();

  it("writes a set that passes its own check without a warning", async () => {
    const io = capturedIo(folder());
    expect(await run(["init"], io)).toBe(0);
    expect(await run(["check"], io)).toBe(0);
    expect(io.out()).toMatch(/^ok(?:, 1 suppressed)?: 4 files, 2 workloads, 1 policy, 3 request lines$/m);
    expect(io.out()).toContain("Next:\n  cellwall check\n  cellwall test\n");
    expect(io.err()).toBe("");
  });

  it("takes a folder and a trust domain", async () => {
    const io = capturedIo(folder());
    expect(await run(["init", "envs/dev", "--trust-domain", "shop.example"], io)).toBe(0);
    expect(io.out()).toContain("cellwall up envs/dev");
    expect(await run(["check", "envs/dev"], io)).toBe(0);
    expect(await run(["init", "x", "--trust-domain", "Not A Domain"], io)).toBe(2);
  });

  it("overwrites nothing, and writes nothing beside what is there", async () => {
    const io = capturedIo(folder());
    mkdirSync(join(folder(), "policies"));
    writeFileSync(join(folder(), "policies/access.yaml"), "mine");
    expect(await run(["init"], io)).toBe(3);
    expect(io.err()).toContain("`policies/access.yaml` is there already");
    const { readdirSync, readFileSync } = await import("node:fs");
    expect(readdirSync(join(folder(), "policies"))).toEqual(["access.yaml"]);
    expect(readFileSync(join(folder(), "policies/access.yaml"), "utf8")).toBe("mine");
  });

  it("prints every mistake with its line and a caret, and ends with 1", async () => {
    const io = capturedIo(folder());
    await run(["init"], io);
    writeFileSync(join(folder(), "policies/more.yaml"), MISTAKES);
    expect(await run(["check"], io)).toBe(1);
    expect(io.out()).toMatch(/policies\/more\.yaml:4:\d+: error: /);
    expect(io.out()).toMatch(/ 4 \| spec: \{ identiti: 1 \}\n +\| +\^+/);
    expect(io.out()).toMatch(/policies\/more\.yaml:9:\d+: error: /);
    expect(io.out()).toMatch(/\d errors/);
  });

  it("prints the same as JSON", async () => {
    const io = capturedIo(folder());
    await run(["init"], io);
    writeFileSync(join(folder(), "policies/more.yaml"), MISTAKES);
    const before = io.out().length;
    expect(await run(["check", "--output", "json"], io)).toBe(1);
    const report = JSON.parse(io.out().slice(before));
    expect(report).toMatchObject({ ok: false, files: expect.arrayContaining(["policies/more.yaml"]) });
    expect(report.errors).toBe(
      report.diagnostics.filter((each: { severity: string }) => each.severity === "error").length,
    );
    expect(report.diagnostics[0]).toMatchObject({
      code: expect.stringMatching(/^ERR_POLICY_/),
      span: { file: "policies/more.yaml", line: 4 },
    });
  });

  it("merges a later folder over an earlier one", async () => {
    const io = capturedIo(folder());
    await run(["init"], io);
    mkdirSync(join(folder(), "prod"));
    const overlay =
      "apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: web, namespace: shop }\nspec: { mode: monitor }\n";
    writeFileSync(join(folder(), "prod/web.yaml"), overlay);
    expect(await run(["check", "policies", "prod", "--fail-on", "error"], io)).toBe(0);
    expect(io.out()).toContain("5 files, 2 workloads");
    const before = io.out().length;
    await run(
      ["explain", "--policies", "policies", "--policies", "prod", "--from", "orders", "--to", "web", "GET /x"],
      io,
    );
    expect(io.out().slice(before)).toMatch(/^allow \(monitor/);
  });
});

const MISTAKES = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: mail, namespace: shop }
spec: { identiti: 1 }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: mail, namespace: shop }
spec: { protects: { workload: nobody } }
`;
