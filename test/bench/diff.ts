import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { diff, type PolicySet, parseDocuments, resolve } from "../../policies/index.ts";
import { recordResult } from "../support/record-result.ts";

// How long a difference takes: `node test/bench/run.mjs diff [rules] [workloads]`, 1,000 and 300 where nothing is said. Reading
// the texts is measured apart. The bar is 2 seconds for 1,000 against 1,000 rules on one core; the first case is cold.

interface Case {
  readonly name: string;
  /** Which rules differ between the two sets. */
  readonly isChanged: (rule: number) => boolean;
  /** Which workload a rule protects. */
  readonly destination: (rule: number) => number;
}

const [rules = 1_000, workloads = 300] = process.argv.slice(2).map(Number);

const CASES: readonly Case[] = [
  {
    name: "a tenth of the rules changed",
    isChanged: (rule) => rule % 10 === 0,
    destination: (rule) => rule % workloads,
  },
  { name: "every rule changed", isChanged: () => true, destination: (rule) => rule % workloads },
  { name: "every rule changed, all of one workload", isChanged: () => true, destination: () => 0 },
  { name: "nothing changed", isChanged: () => false, destination: (rule) => rule % workloads },
];

function setText({ isChanged, destination }: Case, version: number): string {
  const documents = [
    "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: mesh }\nspec: { trustDomain: shop.example, defaultMode: enforce }\n",
  ];
  for (let workload = 0; workload < workloads; workload++) {
    documents.push(
      `apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: svc-${workload}, namespace: shop, labels: { app: app-${workload % 20} } }\nspec: { mode: enforce }\n`,
    );
  }
  for (let rule = 0; rule < rules; rule++) {
    documents.push(policyText(rule, destination(rule), isChanged(rule) ? version : 0));
  }
  return documents.join("---\n");
}

/** One policy with one rule: a third of the callers by label, some with headers, queries, denies and parameters. */
function policyText(rule: number, destination: number, version: number): string {
  const suffix = version === 0 ? "" : `-v${version}`;
  const from = rule % 3 === 0 ? `labels: { app: app-${rule % 20} }` : `workload: svc-${(rule * 7) % workloads}`;
  const area = `/api-${rule % 50}/r-${rule}`;
  const third = rule % 5 === 0 ? `ANY /files-${rule}${suffix}/**` : `DELETE ${area}/{id}`;
  return `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: p-${rule}, namespace: shop }
spec:
  protects: { workload: svc-${destination} }
  allow:
    - name: calls
      from: [{ ${from} }]
      requests:
        - GET|HEAD ${area}/{id:int}
        - POST ${area}${suffix}
        - ${third}
${rule % 4 === 0 ? `      headers: { x-tenant-${rule % 6}: { in: [acme, "globex${suffix}"] } }\n` : ""}${rule % 7 === 0 ? `      query: { view: { prefix: "v${suffix}" } }\n` : ""}${rule % 25 === 0 ? `  deny:\n    - name: admin\n      requests:\n        - ANY ${area}/admin/**\n` : ""}`;
}

function read(text: string): PolicySet {
  const { documents, diagnostics } = parseDocuments([{ path: "set.yaml", text }]);
  const set = resolve(documents, { diagnostics });
  const error = set.diagnostics.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(error.message);
  return set;
}

function milliseconds(since: number): string {
  return `${Math.round(performance.now() - since)} ms`;
}

console.log(`${rules} against ${rules} rules, ${workloads} workloads, ${cpus()[0]?.model ?? "unknown processor"}`);
const cases: Record<string, unknown>[] = [];
for (const one of CASES) {
  const reading = performance.now();
  const sets = [read(setText(one, 1)), read(setText(one, 2))] as const;
  const readIn = milliseconds(reading);
  const started = performance.now();
  const before = process.cpuUsage();
  const report = diff(sets[0], sets[1], { now: new Date("2027-01-01T00:00:00Z") });
  const tookMs = Math.round(performance.now() - started);
  const took = `${tookMs} ms`;
  const cpu = Math.round(process.cpuUsage(before).user / 1_000);
  cases.push({ name: one.name, milliseconds: tookMs, processorMs: cpu });
  const lines = report.destinations.reduce((sum, destination) => sum + destination.lines.length, 0);
  console.log(
    `${one.name}: ${took} (processor ${cpu} ms; both sets read in ${readIn}), ${report.direction}, ${report.destinations.length} workloads, ${lines} lines, ${report.inexact ? "inexact" : "exact"}`,
  );
}
recordResult("bench-diff", { rules, workloads, cases });
