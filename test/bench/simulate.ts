import { cpus } from "node:os";
import { performance } from "node:perf_hooks";
import { parseDocuments, resolve } from "../../policies/index.ts";
import { Simulation } from "../../policies/simulate/index.ts";
import { recordResult } from "../support/record-result.ts";

// How long a simulation takes: `node test/bench/run.mjs simulate [tuples]`, one million distinct ones where nothing is said.
// Making the log is not measured; reading its lines, deciding and grouping is.

const SERVICES = 50;
const RULES_A_SERVICE = 20;
const CHUNK = 1_000;

const name = (service: number): string => `svc-${service}`;
const identity = (service: number): string => `spiffe://shop.example/shop/${name(service)}`;

function policyText(): string {
  const documents = [
    "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: mesh }\nspec:\n  trustDomain: shop.example\n  defaultMode: enforce\n",
  ];
  for (let service = 0; service < SERVICES; service++) documents.push(workloadText(service), accessText(service));
  return documents.join("---\n");
}

function workloadText(service: number): string {
  return `apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: ${name(service)}, namespace: shop, labels: { app: ${name(service)}, tier: t${service % 5} } }\nspec: { mode: enforce }\n`;
}

function accessText(service: number): string {
  const rules = Array.from({ length: RULES_A_SERVICE }, (_, rule) => {
    const from =
      rule % 2 === 0 ? `workload: ${name((service + rule + 1) % SERVICES)}` : `labels: { tier: t${rule % 5} }`;
    const header = rule % 7 === 3 ? "\n      headers:\n        x-tenant: acme" : "";
    return `    - name: r${rule}\n      from:\n        - ${from}\n      requests:\n        - GET|POST /r${rule}/{id:int}\n        - GET /r${rule}/{id:int}/items/{item}${header}`;
  });
  return `apiVersion: cellwall.dev/v1\nkind: AccessPolicy\nmetadata: { name: ${name(service)}, namespace: shop }\nspec:\n  protects: { workload: ${name(service)} }\n  allow:\n${rules.join("\n")}\n`;
}

/** The n-th record; no two have the same caller, destination, method and path. */
function recordLine(n: number): string {
  const [destination, rule] = [n % SERVICES, Math.floor(n / SERVICES) % RULES_A_SERVICE];
  const caller = (destination + rule + 1 + (n % 3)) % SERVICES;
  const allowed = n % 3 === 0;
  const line = `shop/${name(destination)}/r${rule}#GET|POST /r${rule}/{id:int}`;
  return JSON.stringify({
    id: `decision-${n}`,
    verdict: allowed ? "allow" : "deny",
    evaluated: allowed ? "allow" : "deny",
    mode: "enforce",
    phase: allowed ? "allow" : "default",
    outcome: allowed ? "allowed" : "forbidden",
    reason: allowed ? "allowed-by-rule" : "no-rule-matched",
    ...(allowed ? { policy: `shop/${name(destination)}`, rule: `r${rule}`, line } : {}),
    epoch: 1,
    revision: 7,
    path: `/r${rule}/${n}`,
    destination: identity(destination),
    caller: identity(caller),
    tookMicros: 9,
    kind: "decision",
    time: new Date(1_780_000_000_000 + n).toISOString(),
    workload: `shop/${name(destination)}`,
    listenerPort: 8443,
    listenerKind: "mesh",
    method: n % 2 === 0 ? "GET" : "POST",
    peerAddress: "10.0.0.7",
  });
}

const tuples = Number(process.argv[2] ?? 1_000_000);
const { documents, diagnostics } = parseDocuments([{ path: "bench.yaml", text: policyText() }]);
const set = resolve(documents, { diagnostics });
const rules = set.policies.reduce((sum, policy) => sum + policy.allow.length, 0);

let tookMs = 0;
let processorMs = 0;
const timed = <T>(work: () => T): T => {
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const result = work();
  tookMs += performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  processorMs += (user + system) / 1_000;
  return result;
};

const simulation = timed(() => new Simulation(set, { now: new Date("2026-06-01T00:00:00Z") }));
for (let start = 0; start < tuples; start += CHUNK) {
  const lines = Array.from({ length: Math.min(CHUNK, tuples - start) }, (_, index) => recordLine(start + index));
  timed(() => {
    for (const line of lines) simulation.addLine(line);
  });
}
const report = timed(() => simulation.report());

recordResult("bench-simulate", {
  tuples,
  rules,
  seconds: Number((tookMs / 1_000).toFixed(2)),
  processorSeconds: Number((processorMs / 1_000).toFixed(2)),
  residentMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
});
console.log(
  JSON.stringify({
    benchmark: "simulate",
    tuples,
    rules,
    groups: report.groups.length,
    counts: report.counts,
    processorSeconds: Number((processorMs / 1_000).toFixed(2)),
    seconds: Number((tookMs / 1_000).toFixed(2)),
    microsATuple: Number(((tookMs * 1_000) / tuples).toFixed(2)),
    residentMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
    processor: cpus()[0]?.model,
    node: process.version,
  }),
);
