import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import { attributesOf } from "../findings/index.ts";
import type { PolicySet } from "../model/index.ts";
import { resolve } from "../resolve/resolve.ts";
import { type Document, parseDocuments } from "../syntax/index.ts";
import { applied } from "./mutants/mutant.ts";
import { mutantsOf } from "./mutants/mutants-of.ts";
import { mutate } from "./mutate.ts";
import { runTests } from "./run-tests.ts";

const NOW = new Date("2027-01-15T12:00:00Z");

interface Read {
  readonly set: PolicySet;
  readonly documents: readonly Document[];
}

function read(...texts: readonly string[]): Read {
  const files = texts.map((text, at) => ({ path: `${at}.yaml`, text }));
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return { set, documents };
}

const SET = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  isolate: [env]
  jwtProviders:
    corp: { issuer: "https://id.example", audiences: [shop], jwks: { file: /etc/keys.json } }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web, tier: front, env: prod } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: dev, namespace: shop, labels: { app: web, tier: front, env: dev } }
spec: { mode: monitor }
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
        - labels: { app: web, tier: { in: [front, edge] } }
      requests:
        - GET|HEAD /orders/{id:int}
        - grpc shop.Orders/Get
        - websocket /live
        - tcp 5432
      across: [env]
    - name: places
      from:
        - workload: web
          addresses: [192.0.2.0/24]
        - labels: { tier: back }
      requests:
        - POST /orders
      headers: { content-type: { prefix: application/json }, x-tenant: acme }
      query: { dry-run: { absent: true } }
      hosts: [orders.shop, orders]
      ports: [8443]
      jwt: { provider: corp, scopes: [write], claims: { tenant: { in: [acme, globex] } } }
      notBefore: 2027-01-01
      notAfter: 2027-01-31
      except: { requests: [ANY /orders/secret] }
  deny:
    - name: night
      requests:
        - GET /orders/13
      except: { from: [{ workload: dev }] }
      always: true
`;

const NO_TESTS = read(SET);

describe("mutants", () => {
  const mutants = mutantsOf(NO_TESTS.set, NO_TESTS.documents);

  it("are of every kind, each at its place, and each differs from the set", () => {
    const operators = new Set(mutants.map(({ operator }) => operator));
    expect([...operators].sort()).toEqual(
      [
        "drop-across",
        "drop-always",
        "drop-caller",
        "drop-condition",
        "drop-except",
        "drop-isolation",
        "drop-label",
        "drop-line",
        "drop-method",
        "drop-policy",
        "drop-rule",
        "drop-value",
        "monitor-mode",
        "negate-matcher",
        "weaken-matcher",
        "widen-caller",
        "widen-methods",
        "widen-path",
      ].sort(),
    );
    for (const { change, span } of mutants) {
      expect(span.file).toBe("0.yaml");
      expect(applied(change, NO_TESTS.set)).not.toEqual(NO_TESTS.set);
    }
    const texts = mutants.map(({ of, text }) => `${of}: ${text}`);
    expect(texts).toContain("shop/orders/reads: widen `GET|HEAD /orders/{id:int}` to `GET|HEAD /orders/{any}`");
    expect(texts).toContain("shop/orders/reads: drop `edge` from the values of the label `tier`");
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("survive where there is no test, each with a request that replays to both verdicts", () => {
    const { set } = NO_TESTS;
    const report = mutate(set, NO_TESTS.documents, { now: NOW });
    expect(report).toMatchObject({ killed: 0, score: 0, untried: 0 });
    expect(report.survived.length).toBeGreaterThan(40);
    expect(report.survived.length + report.equivalent).toBe(mutants.length);
    for (const [at, { mutant, witness }] of report.survived.entries()) {
      const finding = report.findings[at];
      const asked = finding?.witness === undefined ? undefined : attributesOf(finding.witness, set, { now: NOW });
      const verdictOf = (of: PolicySet) => asked && decide(compile(of), asked).verdict;
      expect(verdictOf(set), mutant.text).toBe(witness.verdict);
      expect(verdictOf(applied(mutant.change, set)), mutant.text).not.toBe(witness.verdict);
    }
  });

  it("die of the very cases that their findings propose", () => {
    const cases = mutate(NO_TESTS.set, NO_TESTS.documents, { now: NOW }).findings.map(
      ({ remedy = "" }) => /`shop\/(\w+)`: (\{.*\})$/.exec(remedy) ?? [],
    );
    const testOf = (to: string): string => {
      const own = [...new Set(cases.filter(([, name]) => name === to).map(([, , text]) => `    - ${text}\n`))].join("");
      return `apiVersion: cellwall.dev/v1\nkind: PolicyTest\nmetadata: { name: ${to}, namespace: shop }\nspec:\n  to: ${to}\n  cases:\n${own}`;
    };
    const { set, documents } = read(SET, testOf("orders"), testOf("web"));
    expect(runTests(set, documents, { now: NOW }).results.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    expect(mutate(set, documents, { now: NOW })).toMatchObject({ score: 100, survived: [], untried: 0 });
  });
});

describe("mutate", () => {
  it("tells how far it is, and stops in time", () => {
    let clock = 0;
    const seen: (readonly [number, number])[] = [];
    const report = mutate(NO_TESTS.set, NO_TESTS.documents, {
      now: NOW,
      budgetMs: 5,
      clock: () => clock++,
      progress: (...at) => seen.push(at),
    });
    const total = mutantsOf(NO_TESTS.set, NO_TESTS.documents).length;
    expect(seen).toEqual([1, 2, 3, 4].map((done) => [done, total]));
    expect(report.untried).toBe(total - 4);
  });

  it("lets a case that fails already kill nothing", () => {
    const test = (expected: string): string =>
      `apiVersion: cellwall.dev/v1\nkind: PolicyTest\nmetadata: { name: orders, namespace: shop }\nspec:\n  to: orders\n  cases:\n    - { from: web, request: GET /orders/1, expect: ${expected} }\n`;
    const killed = (expected: string): number => {
      const { set, documents } = read(SET, test(expected));
      return mutate(set, documents, { now: NOW }).killed;
    };
    expect(killed("allow")).toBeGreaterThan(3);
    expect(killed("deny")).toBe(0);
  });

  it("finds at least 90 % of the shop's mutants killed by the tests that it ships", () => {
    const folder = new URL("../../compose/shop/policies/", import.meta.url);
    const { set, documents } = read(...readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8")));
    expect(runTests(set, documents, { now: NOW })).toMatchObject({ failed: 0 });
    const report = mutate(set, documents, { now: NOW });
    expect(report.score).toBeGreaterThanOrEqual(90);
    expect(report.killed).toBeGreaterThan(30);
  });
});
