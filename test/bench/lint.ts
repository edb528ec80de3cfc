import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { lint, parseDocuments, resolve } from "../../policies/index.ts";
import { recordResult } from "../support/record-result.ts";

// How long lint takes: `node test/bench/run.mjs lint [rules] [workloads]`, 1,000 and 300 where nothing is said. Reading the
// texts is measured apart. The bar is 2 seconds of lint on one core, cold.

const RULES_A_POLICY = 10;

interface Size {
  readonly rules: number;
  readonly workloads: number;
}

const name = (workload: number): string => `svc-${workload}`;

/** A mesh in which services call a few others; each policy protects one service, and some have denies, headers and literals. */
function setText({ rules, workloads }: Size): string {
  const documents = [
    "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: mesh }\nspec: { trustDomain: shop.example, defaultMode: enforce }\n",
  ];
  for (let at = 0; at < workloads; at++) documents.push(workloadText(at, workloads));
  for (let at = 0; at < rules / RULES_A_POLICY; at++) documents.push(policyText(at % workloads, workloads));
  return documents.join("---\n");
}

function workloadText(at: number, workloads: number): string {
  const call = (step: number): string =>
    `      - { workload: ${name((at + step) % workloads)}, port: 8443, local: "unix:/run/app/${step}.sock" }\n`;
  return `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: ${name(at)}, namespace: shop, labels: { app: ${name(at)}, tier: t${at % 5} } }
spec:
  sidecar:
    address: ${name(at)}
    listens: [{ port: 8443, app: "unix:/run/app/self.sock", protocol: http }]
    calls:
${call(1)}${call(2)}${call(3)}`;
}

function policyText(at: number, workloads: number): string {
  const rules = Array.from({ length: RULES_A_POLICY - 1 }, (_, rule) => ruleText(at, rule, workloads)).join("");
  return `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: ${name(at)}, namespace: shop }
spec:
  protects: { workload: ${name(at)} }
  owner: team-${at % 7}
  allow:
${rules}  deny:
    - name: only-platform
      requests: ["ANY /admin/**", "GET /r1/{id}/secret"]
      except: { from: [{ labels: { tier: t0 } }] }
`;
}

function ruleText(at: number, rule: number, workloads: number): string {
  const caller = name((at - (rule % 3) - 1 + workloads) % workloads);
  const from = rule % 3 === 2 ? `labels: { tier: { in: [t${rule % 5}, t${(rule + 1) % 5}] } }` : `workload: ${caller}`;
  const header = rule % 4 === 3 ? "      headers: { content-type: { prefix: application/json } }\n" : "";
  return `    - name: r${rule}
      from: [{ ${from} }]
      requests: ["GET|HEAD /r${rule}/{id}", "POST /r${rule}", "GET /r${rule}/{id:int}/items/{item}"]
${header}`;
}

function main(): void {
  const [rules = 1_000, workloads = 300] = process.argv.slice(2).map(Number);
  const files = [{ path: "bench.yaml", text: setText({ rules, workloads }) }];
  const start = performance.now();
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const errors = set.diagnostics.filter(({ severity }) => severity === "error");
  if (errors[0] !== undefined) throw new TypeError(`${errors[0].span.line}: ${errors[0].message}`);
  const read = performance.now();
  const cpu = process.cpuUsage();
  const findings = lint(set, { now: new Date("2026-06-01T12:00:00Z"), documents });
  const end = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
  const processorMs = Math.round((user + system) / 1_000);
  recordResult("bench-lint", { rules, workloads, milliseconds: Math.round(end - read), processorMs });
  const kinds = new Map<string, number>();
  for (const { id } of findings) kinds.set(id, (kinds.get(id) ?? 0) + 1);
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node.js ${process.version}`);
  console.log(
    `${rules} rules, ${workloads} workloads: read ${seconds(read - start)}, lint ${seconds(end - read)} (${seconds((user + system) / 1_000)} of processor)`,
  );
  console.log([...kinds].map(([id, count]) => `  ${count} ${id}`).join("\n"));
}

main();
