/**
 * Times `cellwall check` as a whole process, cold, on a repository with 1,000 rules, 300 workloads and 1,000 test cases.
 *
 *   npm run build && node test/bench/run.mjs check
 *
 * Ends with 1 where the median takes longer than the bar. Arguments: path of the built command (`dist/cli/main.js`), then options for
 * `check` such as `--only test`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { recordResult } from "../support/record-result.ts";

const WORKLOADS = 300;
const RULES = 1_000;
const CASES = 1_000;
const RUNS = 5;
const BAR_MS = 2_000;
const NAMESPACES = 10;

/** One namespace of the repository, three files: workloads, policies, tests. Every rule is allowed one caller and two lines. */
function namespaceFiles(index: number): ReadonlyMap<string, string> {
  const own = Array.from({ length: WORKLOADS / NAMESPACES }, (_, at) => `app-${at}`);
  const perWorkload = share(RULES / NAMESPACES, own.length);
  const cases = share(CASES / NAMESPACES, own.length);
  return new Map([
    ["workloads.yaml", own.map((name, at) => workload(`ns-${index}`, name, at)).join("---\n")],
    [
      "access.yaml",
      own.map((name, at) => policy(`ns-${index}`, name, at, perWorkload[at] ?? 0, own.length)).join("---\n"),
    ],
    ["tests.yaml", own.map((name, at) => test(`ns-${index}`, name, at, cases[at] ?? 0, own.length)).join("---\n")],
  ]);
}

/** `total` in `parts` whole numbers that differ by one at most. */
function share(total: number, parts: number): readonly number[] {
  return Array.from(
    { length: parts },
    (_, at) => Math.floor(((at + 1) * total) / parts) - Math.floor((at * total) / parts),
  );
}

const head = (kind: string, namespace: string, name: string, more = ""): string =>
  `apiVersion: cellwall.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace}${more} }\n`;

function workload(namespace: string, name: string, at: number): string {
  return `${head("Workload", namespace, name, `, labels: { app: ${name}, tier: tier-${at % 3}, env: prod }`)}spec:
  sidecar:
    address: ${name}.${namespace}.svc
    listens:
      - { port: 8443, app: "unix:/run/${name}.sock", protocol: http }
`;
}

const callerOf = (at: number, rule: number, of: number): string => `app-${(at + rule + 1) % of}`;

function policy(namespace: string, name: string, at: number, rules: number, of: number): string {
  const allow = Array.from({ length: rules }, (_, rule) => {
    const header = rule % 4 === 0 ? "      headers: { content-type: { prefix: application/json } }\n" : "";
    return `    - name: rule-${rule}
      from:
        - workload: ${callerOf(at, rule, of)}
      requests:
        - GET|HEAD /${name}/r${rule}/{id:int}
        - POST /${name}/r${rule}
${header}`;
  });
  return `${head("AccessPolicy", namespace, name)}spec:
  protects: { workload: ${name} }
  owner: team-${namespace}
  allow:
${allow.join("")}`;
}

function test(namespace: string, name: string, at: number, cases: number, of: number): string {
  const lines = Array.from({ length: cases }, (_, index) => {
    const rule = index % 3;
    const headers = rule % 4 === 0 ? ", headers: { content-type: application/json }" : "";
    return index % 2 === 0
      ? `    - { from: ${callerOf(at, rule, of)}, request: POST /${name}/r${rule}${headers}, expect: allow, rule: ${name}/rule-${rule} }\n`
      : `    - { from: ${callerOf(at, rule + 7, of)}, request: GET /${name}/r${rule}/7, expect: deny, because: no-rule-matched }\n`;
  });
  return `${head("PolicyTest", namespace, name)}spec:\n  to: ${name}\n  cases:\n${lines.join("")}`;
}

function writeRepository(folder: string): void {
  const mesh =
    "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: mesh }\nspec: { trustDomain: mesh.example, defaultMode: enforce, isolate: [env] }\n";
  writeFileSync(join(folder, "mesh.yaml"), mesh);
  for (let index = 0; index < NAMESPACES; index++) {
    mkdirSync(join(folder, `ns-${index}`));
    for (const [name, text] of namespaceFiles(index)) writeFileSync(join(folder, `ns-${index}`, name), text);
  }
}

const [main = "dist/cli/main.js", ...options] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "cellwall-bench-"));
try {
  writeRepository(folder);
  const took: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const startedMs = performance.now();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [resolve(main), "check", folder, "--fail-on", "error", ...options],
      { encoding: "utf8" },
    );
    took.push(performance.now() - startedMs);
    if (run === 0) console.log(stdout.trim().split("\n").slice(-3).join("\n"));
    if (status !== 0) throw new Error(`check ended with ${status}\n${stdout.slice(-2_000)}${stderr}`);
  }
  took.sort((left, right) => left - right);
  const median = took[Math.floor(RUNS / 2)] ?? Number.NaN;
  const text = took.map((each) => Math.round(each)).join(", ");
  console.log(
    `${RULES} rules, ${WORKLOADS} workloads, ${CASES} cases: median ${Math.round(median)} ms of ${text} ms (${availableParallelism()} cores, Node.js ${process.versions.node})`,
  );
  const runsMs = took.map(Math.round);
  recordResult("bench-check", {
    rules: RULES,
    workloads: WORKLOADS,
    cases: CASES,
    medianMs: Math.round(median),
    runsMs,
  });
  process.exitCode = median < BAR_MS ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
