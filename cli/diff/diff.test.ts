import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parseDocuments, resolve, shardOf } from "../../policies/index.ts";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const MESH = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: mesh.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { mode: enforce }
`;

const access = (...requests: readonly string[]): string => `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: web
      from: [{ workload: web }]
      requests: [${requests.map((one) => JSON.stringify(one)).join(", ")}]
`;

describe("cellwall diff", () => {
  const folder = useTempFolder();

  function write(name: string, ...requests: readonly string[]): void {
    mkdirSync(join(folder(), name, "nested"), { recursive: true });
    writeFileSync(join(folder(), name, "mesh.yaml"), MESH);
    writeFileSync(join(folder(), name, "nested/orders.yaml"), access(...requests));
  }

  function git(...args: readonly string[]): void {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...identity, ...args], {
      cwd: folder(),
      stdio: "ignore",
      env: { PATH: process.env.PATH ?? "", HOME: folder() },
    });
  }

  async function diffed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const io = capturedIo(folder());
    const code = await run(["diff", ...argv], io);
    return { code, out: io.out(), err: io.err() };
  }

  beforeEach(() => {
    write("policies", "GET /orders/{id}");
    write("next", "GET /orders/{id}", "POST /orders");
  });

  it("compares folders, and ends with 0 unless something is asked to fail", async () => {
    const { code, out } = await diffed("policies", "next");
    expect([code, out.split("\n")[0]]).toEqual([0, "broader: more is allowed at 1 workload"]);
    expect(out).toContain("shop/web → shop/orders: POST /orders (deny: no-rule-matched, now allow: allowed-by-rule)");
  });

  it.each([
    [["policies", "next", "--fail-on", "broader"], 1],
    [["policies", "next", "--fail-on", "narrower"], 0],
    [["policies", "next", "--fail-on", "any"], 1],
    [["next", "policies", "--fail-on", "broader"], 0],
    [["next", "policies", "--fail-on", "narrower"], 1],
    [["policies", "--fail-on", "any"], 0],
  ])("%j ends with %i", async (argv, code) => {
    expect((await diffed(...argv)).code).toBe(code);
  });

  it("--candidate compares with what the candidates would make of the set", async () => {
    write("policies", "GET /orders");
    const candidate = access("GET /orders", "POST /orders").replace("spec:\n", "spec:\n  stage: candidate\n");
    writeFileSync(join(folder(), "policies", "candidate.yaml"), candidate);
    expect((await diffed("policies", "policies", "--fail-on", "any")).code).toBe(0);
    const { code, out } = await diffed("policies", "policies", "--candidate", "--fail-on", "broader");
    expect([code, out]).toEqual([1, expect.stringContaining("shop/orders/web#POST /orders")]);
  });

  it("writes the whole report as JSON, and Markdown for a pull request", async () => {
    const report: unknown = JSON.parse((await diffed("policies", "next", "--output", "json")).out);
    expect(report).toMatchObject({
      direction: "broader",
      inexact: false,
      destinations: [{ destination: "shop/orders" }],
    });
    expect((await diffed("policies", "next", "--output", "markdown")).out).toMatch(/^## Policies: broader\n/);
  });

  it("reads folders at Git revisions: beside where it runs, and from the root", async () => {
    git("init", "--quiet", "--initial-branch", "trunk");
    git("add", "policies");
    git("commit", "--quiet", "-m", "one");
    write("policies", "GET /orders/{id}", "DELETE /orders/{id}");
    expect((await diffed("trunk")).out).toContain("shop/web → shop/orders: DELETE /orders/");
    git("commit", "--quiet", "-a", "-m", "two");
    expect((await diffed("HEAD~1:policies", "HEAD:policies/", "--fail-on", "broader")).code).toBe(1);
    expect((await diffed("trunk")).out).toBe("equivalent: every request gets the same verdict\n");
    expect((await diffed("HEAD:elsewhere")).err).toContain("there are no policies (*.yaml) in `HEAD:elsewhere`");
  });

  it("reads a single file of policies", async () => {
    writeFileSync(join(folder(), "all.yaml"), `${MESH}---\n${access("GET /orders/{id}")}`);
    const { code, out } = await diffed("policies", "all.yaml");
    expect([code, out]).toEqual([0, expect.stringMatching(/^equivalent: /)]);
  });

  it("reads the shards of a bundle, and says that they carry no signature", async () => {
    const files = ["mesh.yaml", "nested/orders.yaml"].map((path) => ({
      path,
      text: readFileSync(join(folder(), "next", path), "utf8"),
    }));
    const { documents, diagnostics } = parseDocuments(files);
    const set = resolve(documents, { diagnostics });
    const shards = set.destinations.map((destination) => shardOf(set, destination));
    writeFileSync(join(folder(), "bundle.json"), JSON.stringify({ shards }));
    const { out, err: said } = await diffed("bundle.json", "next");
    expect(out).toMatch(/^equivalent: /);
    expect(said).toBe("warning: `bundle.json` carries no signature, so it is believed as it is\n");
    expect((await diffed("policies", "bundle.json")).out).toMatch(/^broader: /);
    writeFileSync(join(folder(), "bundle.json"), "{}");
    const { code, err } = await diffed("bundle.json");
    expect([code, err]).toEqual([3, expect.stringContaining("cannot read `bundle.json`: not a shard of a policy set")]);
  });

  it("refuses what is nothing it knows, what could be an option of Git, and sets with errors", async () => {
    const unknown = await diffed("nowhere");
    expect([unknown.code, unknown.err]).toEqual([
      3,
      expect.stringContaining("`nowhere` is neither a folder, a file nor a Git revision"),
    ]);
    expect((await diffed("policies", "--", "--output=x:policies")).err).toContain("neither a folder");
    rmSync(join(folder(), "next/mesh.yaml"));
    const broken = await diffed("policies", "next");
    expect([broken.code, broken.err]).toEqual([1, expect.stringContaining("the set of `next` has")]);
  });
});
