import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";

const ISTIO = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: orders, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  rules:
    - from: [{ source: { principals: [cluster.local/ns/shop/sa/web] } }]
      to: [{ operation: { methods: [GET], paths: ["/orders/*"], hosts: [orders.shop] } }]
`;

describe("cellwall import", () => {
  const folder = useTempFolder();

  it("writes documents that pass the check, and says on standard error what is not exact", async () => {
    writeFileSync(join(folder(), "authz.yaml"), ISTIO);
    const io = capturedIo(folder());
    expect(await run(["import", "istio", "authz.yaml", "--report", "report.json"], io)).toBe(0);
    expect(io.out()).toContain("- GET /orders/**\n");
    expect(io.err()).toMatch(/^authz\.yaml:8:\d+: wider \(host-with-port only\): AuthorizationPolicy shop\/orders/m);
    const report: unknown = JSON.parse(readFileSync(join(folder(), "report.json"), "utf8"));
    expect(report).toMatchObject({ summary: { wider: 1 } });
    mkdirSync(join(folder(), "imported"));
    writeFileSync(join(folder(), "imported", "all.yaml"), io.out());
    const checked = capturedIo(folder());
    await run(["check", "imported"], checked);
    expect(`${checked.out()}${checked.err()}`).not.toMatch(/error: /);
  });

  it("reads standard input, and answers as JSON", async () => {
    const io = capturedIo(folder(), { stdin: ISTIO });
    expect(await run(["import", "istio", "-", "--output", "json"], io)).toBe(0);
    expect(JSON.parse(io.out())).toMatchObject({ report: { summary: { exact: 1 } } });
    expect(io.err()).toBe("");
  });

  it("takes what the source leaves to its surroundings: the default action, audiences, numbers of ports", async () => {
    const intentions = 'Kind = "service-intentions"\nName = "web"\nSources = [{ Name = "api", Action = "deny" }]\n';
    for (const [action, open] of [
      ["allow", true],
      ["deny", false],
    ] as const) {
      const io = capturedIo(folder(), { stdin: intentions });
      expect(await run(["import", "consul", "-", "--default", action], io)).toBe(0);
      expect(io.out().includes("anyone: authenticated")).toBe(open);
    }
    const io = capturedIo(folder(), { stdin: ISTIO });
    expect(await run(["import", "istio", "-", "--port", "http"], io)).toBe(2);
    expect(io.err()).toContain("`http` is no port's name and number");
    expect(await run(["import", "istio", "-", "--default", "ask"], io)).toBe(2);
  });

  it("says how to name a registry where one is lacking", async () => {
    const io = capturedIo(folder(), { stdin: ISTIO });
    await run(["import", "istio", "-"], io);
    expect(io.err()).toMatch(/ hint: the registry .*`--workloads DIR`\n$/);
  });

  it("says how to tell the number of a port that only a registry or an option knows", async () => {
    const server =
      "kind: Server\nmetadata: { name: a, namespace: n }\nspec: { podSelector: { matchLabels: { app: a } }, port: grpc }\n";
    const io = capturedIo(folder(), { stdin: server });
    await run(["import", "linkerd", "-"], io);
    expect(io.err()).toMatch(/`--workloads DIR`; `--port NAME=NUMBER` says the number of a port\n$/);
    const told = capturedIo(folder(), { stdin: server });
    await run(["import", "linkerd", "-", "--port", "grpc=8080"], told);
    expect(told.err()).not.toContain("which number");
  });

  it.each(["istio", "kubernetes", "linkerd", "cilium", "kuma", "calico"])(
    "names in words what %s knows nothing of: another kind, a document without one",
    async (format) => {
      const io = capturedIo(folder(), { stdin: "kind: Deployment\n---\nfoo: 1\n---\n[1]\n" });
      expect(await run(["import", format, "-"], io)).toBe(0);
      expect(io.err()).toContain("<stdin>:1:1: unsupported: Deployment: ");
      expect(io.err()).toContain("<stdin>:3:1: unsupported: document without `kind`: ");
      expect(io.err()).toContain("<stdin>:5:1: unsupported: document without `kind`: ");
      expect(io.err()).toContain(" 3 unsupported\n");
    },
  );

  it("tells wrong usage from a wrong source", async () => {
    const io = capturedIo(folder(), { stdin: ISTIO.replace("methods: [GET]", "methods: []") });
    expect(await run(["import", "firewall", "-"], io)).toBe(2);
    expect(io.err()).toContain("istio");
    expect(await run(["import", "istio", "-"], io)).toBe(1);
    expect(io.err()).toContain("<stdin>:8:");
    expect(await run(["import", "istio", "missing.yaml"], io)).toBe(3);
  });
});
