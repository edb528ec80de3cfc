import { describe, expect, it } from "vitest";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "../syntax/index.ts";
import { runTests, type TestOptions, type TestReport } from "./run-tests.ts";

const NOW = new Date("2027-01-15T12:00:00Z");

const SET = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  isolate: [env]
  federation:
    - trustDomain: partner.example
  jwtProviders:
    corp: { issuer: "https://id.example", audiences: [shop], jwks: { file: /etc/keys.json } }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web, env: prod } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: dev, namespace: shop, labels: { app: web, env: dev } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders, env: prod } }
spec:
  sidecar:
    address: orders.shop
    listens:
      - { port: 8443, app: "unix:/a.sock", protocol: http, upgrades: [websocket] }
      - { port: 8444, app: "unix:/a.sock", protocol: http }
      - { port: 443, app: "unix:/a.sock", protocol: http, clients: public }
      - { port: 5432, app: "unix:/b.sock", protocol: tcp }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: reads
      from:
        - labels: { app: web }
      requests:
        - GET /orders/{id:int}
        - grpc shop.Orders/Get
        - websocket /live
        - tcp 5432
      across: [env]
    - name: places
      from:
        - workload: web
      requests:
        - POST /orders
      headers: { content-type: { prefix: application/json } }
      query: { dry-run: { absent: true } }
      hosts: [orders.shop]
      ports: [8443]
      jwt: { provider: corp, scopes: [write], claims: { tenant: acme } }
      notAfter: 2027-01-31
      notBefore: 2027-01-01
      except: { requests: [POST /orders] , from: [{ addresses: [10.0.0.0/8] }] }
    - name: partners
      from:
        - spiffe: spiffe://partner.example/billing/**
      requests:
        - GET /invoices
      across: [env]
    - name: visitors
      from:
        - anyone: anonymous
      requests:
        - GET /
      across: [env]
  deny:
    - name: admin
      requests:
        - ANY /admin/**
`;

const PLACES = `headers: { content-type: application/json }, claims: { corp: { scope: write read, tenant: acme } }, address: 192.0.2.1`;

function run(cases: readonly string[], options: Partial<TestOptions> = {}, more = ""): TestReport {
  const head = "---\napiVersion: cellwall.dev/v1\nkind: PolicyTest\nmetadata: { name: orders, namespace: shop }\n";
  const test = `${head}spec:\n  to: orders\n  cases:\n${cases.map((each) => `    - { ${each} }\n`).join("")}${more}`;
  const { documents, diagnostics } = parseDocuments([
    { path: "set.yaml", text: SET },
    { path: "tests.yaml", text: test },
  ]);
  const set = resolve(documents, { diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return runTests(set, documents, { now: NOW, ...options });
}

/** What is wrong with the only case. */
const wrong = (each: string): string => run([each]).results[0]?.wrong.join("; ") ?? "no case";

describe("a case passes", () => {
  it.each([
    "from: web, request: GET /orders/42, expect: allow, rule: orders/reads",
    "from: web, request: GET /orders/42, expect: allow, rule: shop/orders/reads",
    "from: web, request: GET /orders/x, expect: deny, because: no-rule-matched",
    "from: web, request: GET /orders/../a, expect: deny, because: ambiguous-path",
    "from: web, request: GET /admin/x, expect: deny, because: denied-by-rule, rule: orders/admin",
    "from: dev, request: GET /orders/42, expect: allow",
    "from: dev, request: POST /orders, expect: deny, because: isolated",
    "from: web, request: grpc shop.Orders/Get, expect: allow",
    "from: web, request: websocket /live, expect: allow",
    "from: web, request: GET /live, expect: deny",
    "from: web, request: tcp 5432, expect: allow",
    "from: web, request: tcp 5433, expect: deny",
    'from: "spiffe://partner.example/billing/a", request: GET /invoices, expect: allow',
    'from: "spiffe://other.example/billing/a", request: GET /invoices, expect: deny, because: untrusted-domain',
    "from: anonymous, request: GET /, expect: allow, rule: orders/visitors",
    "from: web, request: GET /, expect: deny, because: no-rule-matched",
    `from: web, request: POST /orders, ${PLACES}, expect: allow, rule: orders/places`,
    `from: web, request: POST /orders, ${PLACES}, port: 8444, expect: deny`,
    `from: web, request: POST /orders, ${PLACES}, host: other.shop, expect: deny`,
    `from: web, request: POST /orders, ${PLACES}, host: "ORDERS.shop:8443", expect: allow`,
    `from: web, request: POST /orders?dry-run=1, ${PLACES}, expect: deny`,
    `from: web, request: POST /orders, ${PLACES}, at: 2027-02-01, expect: deny`,
    `from: web, request: POST /orders, ${PLACES.replace("192.0.2.1", "10.0.0.1")}, expect: deny`,
    `from: web, request: POST /orders, ${PLACES.replace("application/json", "[application/json, text/plain]")}, expect: deny`,
    `from: web, request: POST /orders, ${PLACES.replace("tenant: acme", 'tenant: "1"')}, expect: deny`,
    `from: web, request: POST /orders, ${PLACES.replace("tenant: acme", "exp: 1")}, expect: deny`,
  ])("%s", (each) => {
    expect(wrong(each)).toBe("");
  });
});

describe("a case fails", () => {
  it.each([
    [
      "from: web, request: GET /orders/42, expect: deny",
      "expected deny, got allow (allowed-by-rule `shop/orders/reads`)",
    ],
    ["from: web, request: GET /x, expect: allow", "expected allow, got deny (no-rule-matched)"],
    [
      "from: web, request: GET /orders/42, expect: allow, rule: orders/places",
      "expected the rule `shop/orders/places`, got `shop/orders/reads`",
    ],
    ["from: web, request: GET /x, expect: deny, because: isolated", "expected `isolated`, got `no-rule-matched`"],
  ])("%s", (each, expected) => {
    expect(wrong(each)).toBe(expected);
  });

  it("with a finding at its place that names the nearest line and what it lacks", () => {
    const [finding] = run(["from: web, request: PUT /orders/42, expect: allow"]).findings;
    expect(finding).toMatchObject({
      id: "test-failed",
      severity: "error",
      span: { file: "tests.yaml", line: 8 },
      message: "`web: PUT /orders/42` at `shop/orders`: expected allow, got deny (no-rule-matched)",
      remedy:
        "correct the case, or the nearest line `shop/orders/reads#GET /orders/{id:int}`, which lacks: method: expected GET; got PUT",
      related: [{ span: { file: "set.yaml" } }],
    });
  });

  it("with a fingerprint that stays when lines move", () => {
    const print = (...cases: readonly string[]) => run(cases).findings.map(({ fingerprint }) => fingerprint);
    const failing = "from: web, request: GET /x, expect: allow";
    expect(print("from: web, request: GET /orders/1, expect: allow", failing)).toEqual(print(failing));
    expect(print(failing)).not.toEqual(print(failing.replace("/x", "/y")));
  });
});

describe("stages and modes", () => {
  const candidate = `---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  stage: candidate
  protects: { workload: orders }
  allow:
    - name: narrow
      from:
        - workload: web
      requests:
        - GET /orders/1
`;
  const monitor = `---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { mode: monitor }
`;

  it("judge by the live policies, and by the candidate set where the test says so", () => {
    const live = "from: web, request: GET /orders/42, expect: allow";
    expect(run([live], {}, candidate).failed).toBe(0);
    const staged = (each: string) => run([each], {}, `  stage: candidate\n${candidate}`).results[0]?.wrong;
    expect(staged(live)).toEqual(["expected allow, got deny (no-rule-matched)"]);
    expect(staged("from: web, request: GET /orders/1, expect: allow, rule: orders/narrow")).toEqual([]);
    expect(run([live], {}, "  stage: candidate\n").failed).toBe(0);
  });

  it("judge by what the request is told, or as if every workload enforced", () => {
    const denied = "from: web, request: GET /x, expect: deny";
    const report = run([denied], {}, monitor);
    expect(report).toMatchObject({ ok: true, passed: 0, failed: 0, relaxed: 1 });
    expect(report.findings).toMatchObject([
      {
        id: "test-relaxed",
        severity: "note",
        message:
          "`web: GET /x` at `shop/orders`: expected deny, got allow (no-rule-matched): the rules deny it, and the workload is in monitor mode",
      },
    ]);
    const otherwise = "from: web, request: GET /x, expect: deny, because: isolated";
    expect(run([otherwise], {}, monitor)).toMatchObject({ ok: false, failed: 1, relaxed: 0 });
    expect(run([denied], { asEnforced: true }, monitor).failed).toBe(0);
  });
});

describe("coverage", () => {
  const item = (report: TestReport, id: string) =>
    report.coverage.items.find((each) => each.id === `shop/orders/${id}`);

  it("sees a line that matches, and a condition both ways where nothing else decides", () => {
    const cases = [
      `from: web, request: POST /orders, ${PLACES}, expect: allow`,
      `from: web, request: POST /orders, ${PLACES}, host: other, expect: deny`,
      `from: web, request: POST /orders, ${PLACES}, host: other, port: 8444, at: 2026-01-01, expect: deny`,
      `from: web, request: POST /orders, ${PLACES}, at: 2027-02-01, expect: deny`,
      `from: web, request: POST /orders, ${PLACES.replace("192.0.2.1", "10.0.0.1")}, expect: deny`,
      "from: dev, request: GET /orders/1, expect: allow",
      "from: dev, request: GET /x, expect: deny",
    ];
    const report = run(cases);
    expect(report.failed).toBe(0);
    expect(item(report, "places#POST /orders")).toMatchObject({ seen: [true], span: { file: "set.yaml" } });
    expect(item(report, "places#hosts")).toMatchObject({ seen: [true, false], needs: [true, false] });
    expect(item(report, "places#ports")).toMatchObject({ seen: [true] });
    expect(item(report, "places#notAfter")).toMatchObject({ seen: [true, false] });
    expect(item(report, "places#notBefore")).toMatchObject({ seen: [true] });
    expect(item(report, "places#except")).toMatchObject({ seen: [false, true] });
    expect(item(report, "places#header content-type")).toMatchObject({
      seen: [true],
      text: "header `content-type`, something that begins with `application/json`",
    });
    expect(item(report, "reads#across env")).toMatchObject({ seen: [true], needs: [true] });
    expect(item(report, "partners#across env")).toMatchObject({ seen: [] });
    expect(item(report, "admin#ANY /admin/**")).toMatchObject({ seen: [] });
    const { total, seen, percent } = report.coverage;
    // 8 lines, 8 conditions both ways (jwt, query, header, hosts, ports, two times, except), 3 boundaries.
    expect([total, seen, percent]).toEqual([8 + 16 + 3, 2 + 8 + 3 + 1, 51]);
  });

  it("rounds down, points at the condition, and is a finding where it is lower than asked for", () => {
    const cases = ["from: web, request: GET /orders/1, expect: allow"];
    expect(run(cases, { minCoverage: 3 })).toMatchObject({ ok: true, coverage: { percent: 3 }, findings: [] });
    const { ok, findings } = run(cases, { minCoverage: 4 });
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({ id: "test-coverage", severity: "error" });
    const header = findings.find(({ message }) => message.includes("content-type"));
    const line = SET.split("\n").findIndex((text) => text.includes("content-type:")) + 1;
    expect(header).toMatchObject({ id: "test-uncovered", severity: "note", span: { line, column: 18 } });
  });
});
