import { describe, expect, it } from "vitest";
import { buildSet, identityOf, NOW, type PolicyInput, type RuleInput, type SetInput } from "../testing/build.ts";
import { formatSimulation, formatSimulationMarkdown } from "./format-report.ts";
import { pathTemplate } from "./path-template.ts";
import { Simulation, type SimulationOptions, simulate } from "./simulation.ts";

const LINE = "shop/orders/reads#GET /orders/{id:int}";

/** A record of a request that `web` was allowed, unless it says otherwise. */
function record(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    kind: "decision",
    id: "d1",
    time: "2026-05-01T00:00:00.000Z",
    workload: "shop/orders",
    verdict: "allow",
    evaluated: "allow",
    reason: "allowed-by-rule",
    line: LINE,
    pathTemplate: "/orders/{id:int}",
    destination: identityOf("orders"),
    caller: identityOf("web"),
    method: "GET",
    path: "/orders/1",
    listenerPort: 8443,
    listenerKind: "mesh",
    ...more,
  };
}

const DENIED = {
  verdict: "deny",
  evaluated: "deny",
  reason: "no-rule-matched",
  line: undefined,
  pathTemplate: undefined,
};

function setOf(policy: Partial<PolicyInput>, more: Partial<SetInput> = {}) {
  return buildSet({
    workloads: { orders: {}, web: {}, db: {} },
    policies: [{ name: "orders", protects: "orders", ...policy }],
    ...more,
  });
}

function allowing(...rules: readonly RuleInput[]) {
  return setOf({ allow: rules.map((rule) => ({ name: "reads", from: [{ workload: "web" }], ...rule })) });
}

const READS = allowing({ requests: ["GET /orders/{id:int}"] });

function changes(set: ReturnType<typeof setOf>, records: readonly unknown[], options: Partial<SimulationOptions> = {}) {
  const report = simulate(set, records, { now: NOW, ...options });
  return report.groups.map(({ change, count, why }) => (why.length === 0 ? [change, count] : [change, count, why]));
}

describe("simulate", () => {
  it("tells what is newly denied, newly allowed and unchanged, equal records together", () => {
    const records = [
      record(),
      record({ id: "d2", path: "/orders/2", time: "2026-05-02T00:00:00.000Z" }),
      record({ ...DENIED, id: "d3", path: "/carts/7" }),
      record({ ...DENIED, id: "d4", path: "/carts/8" }),
      record({ ...DENIED, id: "d5", path: "/other" }),
    ];
    const report = simulate(allowing({ requests: ["GET /carts/{id:int}"] }), records, { now: NOW });
    expect(report).toMatchObject({
      decisions: 5,
      counts: { "newly-denied": 2, "newly-allowed": 2, undecidable: 0, unchanged: 1 },
    });
    expect(report.groups[0]).toEqual({
      change: "newly-denied",
      caller: identityOf("web"),
      destination: identityOf("orders"),
      method: "GET",
      template: "/orders/{id:int}",
      port: 8443,
      before: { verdict: "allow", reason: "allowed-by-rule", line: LINE },
      after: { verdict: "deny", reason: "no-rule-matched" },
      why: [],
      count: 2,
      firstSeen: "2026-05-01T00:00:00.000Z",
      lastSeen: "2026-05-02T00:00:00.000Z",
      example: { id: "d1", path: "/orders/1" },
    });
    expect(report.groups[1]).toMatchObject({ change: "newly-allowed", template: "/carts/{id:int}", count: 2 });
  });

  it.each<[string, RuleInput, readonly string[]]>([
    ["a header", { headers: { "x-tenant": "acme" } }, ["header `x-tenant`"]],
    ["a query parameter", { query: { q: "v" } }, ["query parameter `q`"]],
    ["a token", { jwt: { provider: "corp", scopes: ["a"] } }, ["a token of `corp`"]],
    ["the host", { hosts: ["orders.shop"] }, ["the host"]],
  ])("cannot decide what depends on %s, and says so", (_name, rule, why) => {
    const set = allowing({ requests: ["GET /orders/{id:int}"], ...rule });
    expect(changes(set, [record()])).toEqual([["undecidable", 1, why]]);
  });

  it("decides all the same where every outcome is the same", () => {
    const besides = allowing(
      { name: "a", requests: ["GET /orders/{id:int}"], headers: { "x-tenant": "acme" } },
      { name: "b", requests: ["GET /orders/{id:int}"] },
    );
    expect(changes(besides, [record()])).toEqual([["unchanged", 1]]);
    const onlyDenied = setOf({ deny: [{ requests: ["ANY /orders/**"], headers: { "x-tenant": "acme" } }] });
    expect(changes(onlyDenied, [record()])).toEqual([["newly-denied", 1]]);
  });

  it("never counts on a header that the sidecar itself withholds", () => {
    const set = allowing({ requests: ["GET /orders/{id:int}"], headers: { cookie: { kind: "present" } } });
    expect(changes(set, [record()])).toEqual([["newly-denied", 1]]);
  });

  it("never lets a line come true that asks for an address which the peer has none of", () => {
    const set = setOf(
      {
        allow: [
          {
            from: [{ workload: "web", addresses: ["10.0.0.0/8"] }],
            requests: ["GET /orders/{id:int}"],
            headers: { "x-tenant": "acme" },
          },
        ],
      },
      { workloads: { orders: { mode: "monitor" }, web: {} } },
    );
    // A denial either way, which monitor mode relaxes only where the header rules the line out.
    expect(changes(set, [record()])).toEqual([["undecidable", 1, ["header `x-tenant`"]]]);
    expect(changes(set, [record()], { compare: "evaluated" })).toEqual([["newly-denied", 1]]);
  });

  it("asks for the address of an exception only where the exception's requests match", () => {
    const except = { from: [{ workload: "web", addresses: ["10.0.0.0/8"] }], requests: ["GET /orders/1"] };
    const headers = { "x-tenant": "acme" };
    const set = allowing({ requests: ["GET /orders/{id:int}", "GET /carts"], headers, except });
    const denied = (path: string) => record({ ...DENIED, path });
    expect(changes(set, [denied("/carts")])).toEqual([["undecidable", 1, ["header `x-tenant`"]]]);
  });

  it("takes a condition for met where the set that decided asked for the same", () => {
    const old = allowing({ requests: ["GET /orders/{id:int}"], headers: { "x-tenant": "acme" } });
    expect(changes(old, [record()], { old })).toEqual([["unchanged", 1]]);
    const other = allowing({ requests: ["GET /orders/{id:int}"], headers: { "x-tenant": "globex" } });
    expect(changes(other, [record()], { old })).toEqual([["undecidable", 1, ["header `x-tenant`"]]]);
  });

  it("knows of a POST whether it was gRPC only where a line allowed it", () => {
    const set = allowing({ requests: ["POST /a.B/C", "grpc a.B/C"] });
    const post = { method: "POST", path: "/a.B/C" };
    const grpc = record({ ...post, line: "shop/orders/reads#grpc a.B/C" });
    expect(changes(set, [grpc])).toEqual([["unchanged", 1]]);
    expect(changes(allowing({ requests: ["POST /a.B/C"] }), [grpc])).toEqual([["newly-denied", 1]]);
    const why = ["whether the request is gRPC (`content-type`)"];
    expect(changes(allowing({ requests: ["POST /a.B/C"] }), [record({ ...post, ...DENIED })])).toEqual([
      ["undecidable", 1, why],
    ]);
  });

  it("compares what sidecars are told, or what the policies say", () => {
    const monitored = setOf({}, { workloads: { orders: { mode: "monitor" }, web: {} } });
    expect(changes(monitored, [record()])).toEqual([["unchanged", 1]]);
    expect(changes(monitored, [record()], { compare: "evaluated" })).toEqual([["newly-denied", 1]]);
  });

  it("lets candidates stand in where it is asked to", () => {
    const set = setOf(
      {},
      {
        policies: [
          { name: "orders", protects: "orders", allow: [{ from: [{ workload: "web" }], requests: ["ANY /**"] }] },
          { name: "orders", protects: "orders", stage: "candidate", allow: [] },
        ],
      },
    );
    expect(changes(set, [record()])).toEqual([["unchanged", 1]]);
    expect(changes(set, [record()], { stage: "candidate" })).toEqual([["newly-denied", 1]]);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["a revocation, which no set lifts", { ...DENIED, reason: "revoked-identity" }, "unchanged"],
    ["a request that could not be read", { ...DENIED, reason: "internal-error", listenerPort: 0 }, "unchanged"],
    ["a refused path", { ...DENIED, reason: "ambiguous-path", detail: "bad-escape", path: undefined }, "unchanged"],
    ["a refused host", { ...DENIED, reason: "ambiguous-host", detail: "comma" }, "unchanged"],
    ["a path that the record has cut", { path: `/orders/${"a".repeat(247)}…` }, "undecidable"],
    ["a caller that the record has cut", { caller: `spiffe://shop.example/${"a".repeat(230)}…` }, "undecidable"],
    ["a caller that nobody knows", { caller: identityOf("ghost") }, "newly-denied"],
    ["no caller at all", { caller: undefined }, "newly-denied"],
    ["a connection", { method: undefined, path: undefined, listenerPort: 5432 }, "newly-denied"],
  ])("reads %s back as it was", (_name, more, change) => {
    expect(changes(READS, [record(more)]).map(([kind]) => kind)).toEqual([change]);
  });

  it("is undecided about a refused path where the workload's settings may read it now", () => {
    const set = setOf({}, { workloads: { orders: { matrixParameters: "ignore" }, web: {} } });
    const refused = record({ ...DENIED, reason: "ambiguous-path", detail: "path-parameter", path: undefined });
    expect(changes(set, [refused]).map(([kind]) => kind)).toEqual(["undecidable"]);
  });

  it("passes over what is no decision, and never throws", () => {
    const simulation = new Simulation(READS, { now: NOW });
    for (const line of ["", "nonsense", "null", "[]", '{"kind":"decision"}', '{"kind":"request-refused"}']) {
      simulation.addLine(line);
    }
    simulation.addLine(JSON.stringify(record()));
    expect(simulation.report()).toMatchObject({ decisions: 1, skipped: { other: 1, unreadable: 4 } });
  });

  it("counts every decision of a log in which hardly a request comes again, and then all of them do", () => {
    const simulation = new Simulation(READS, { now: NOW });
    const lines = Array.from({ length: 41_000 }, (_, at) => JSON.stringify(record({ path: `/orders/${at}` })));
    for (const line of [...lines, ...lines.slice(-500), ...lines.slice(0, 500)]) simulation.addLine(line);
    const { decisions, groups } = simulation.report();
    expect([decisions, groups.map(({ change, count }) => [change, count])]).toEqual([42_000, [["unchanged", 42_000]]]);
    expect(groups[0]?.example).toEqual({ id: "d1", path: "/orders/0" });
  });

  it("keeps a bounded number of groups", () => {
    const records = Array.from({ length: 50 }, (_, at) => record({ ...DENIED, path: `/x${"y".repeat(at)}` }));
    const report = simulate(READS, records, { now: NOW, maxGroups: 10 });
    expect(report.folded).toBe(true);
    expect(report.groups.length).toBe(11);
    expect(report.decisions).toBe(50);
  });

  it("opens what varies in a path", () => {
    expect(pathTemplate("/a/42/5ad7750b-a68b-49c0-a8c0-32776b067703/2026-01-31/0a1b2c3d4e5f6a7b/x")).toBe(
      "/a/{id:int}/{id:uuid}/{date:date}/{id:hex}/x",
    );
  });

  it("is readable, with foreign text escaped", () => {
    const report = simulate(READS, [record({ path: "/a|b", method: "G\u202eT", ...DENIED }), record({ path: "/no" })], {
      now: NOW,
    });
    expect(formatSimulation(report)).toContain("2 decisions from 2026-05-01T00:00:00.000Z");
    expect(formatSimulation(report)).toContain("newly denied: 1");
    expect(formatSimulationMarkdown(report)).toContain("| 1 | 0 | 0 | 1 | 2 |");
    const denied = simulate(allowing({ requests: ["ANY /**"] }), [record({ method: "G\u202eT", ...DENIED })], {
      now: NOW,
    });
    expect(formatSimulation(denied)).not.toContain("\u202e");
    expect(formatSimulationMarkdown(denied)).not.toContain("\u202e");
  });
});
