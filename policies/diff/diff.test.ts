import { describe, expect, it } from "vitest";
import {
  buildSet,
  NOW,
  type PolicyInput,
  type RuleInput,
  type SetInput,
  type WorkloadInput,
} from "../testing/build.ts";
import { diff } from "./diff.ts";
import { code, diffMarkdown } from "./markdown.ts";
import type { DiffReport } from "./report.ts";
import { diffText } from "./text.ts";
import { withCandidates } from "./with-candidates.ts";

const from = [{ workload: "web" }];
const GET: RuleInput = { from, requests: ["GET /orders/{id:int}"] };

function report(
  old: readonly PolicyInput[],
  next: readonly PolicyInput[],
  more: Partial<SetInput> = {},
  nextMore = more,
): DiffReport {
  const set = (policies: readonly PolicyInput[], other: Partial<SetInput>) =>
    buildSet({ ...other, workloads: other.workloads ?? { orders: {}, web: {}, mobile: {} }, policies });
  return diff(set(old, more), set(next, nextMore), { now: NOW });
}

const allowing = (...allow: readonly RuleInput[]): readonly PolicyInput[] => [{ name: "p", protects: "orders", allow }];
const denying = (...deny: readonly RuleInput[]): readonly PolicyInput[] => [
  { name: "p", protects: "orders", allow: [GET], deny },
];

describe("diff", () => {
  it("sees that a deny marked `always` reaches fewer paths of a workload in monitor mode, whatever it asks of the query", () => {
    const always = (path: string): readonly PolicyInput[] => [
      {
        name: "p",
        protects: "orders",
        deny: [{ always: true, requests: [`PUT ${path}`, "GET /x"], query: { q: { kind: "equals", value: "v" } } }],
      },
    ];
    const workloads = { orders: { mode: "monitor" as const }, web: {} };
    expect(report(always("/**"), always("/"), { workloads }).direction).toBe("broader");
  });

  it("compares live policies, or what the candidates would make of the set", () => {
    const live: PolicyInput = { name: "p", protects: "orders", allow: [GET] };
    const set = buildSet({
      workloads: { orders: {}, web: {} },
      policies: [
        { ...live, name: "q", allow: [{ from, requests: ["GET /carts"] }] },
        { ...live, name: "q", stage: "candidate", action: "withdraw" },
        live,
        { ...live, stage: "candidate", allow: [GET, { from, requests: ["POST /orders"] }] },
        { ...live, name: "r", stage: "candidate", allow: [{ from, requests: ["GET /new"] }] },
      ],
    });
    expect(diff(set, set, { now: NOW }).direction).toBe("equivalent");
    const { destinations } = diff(set, withCandidates(set), { now: NOW });
    const lines = destinations.flatMap((each) => each.lines).map(({ id, change }) => `${change} ${id}`);
    expect(lines.sort()).toEqual([
      "added shop/p/a1#POST /orders",
      "added shop/r/a0#GET /new",
      "removed shop/q/a0#GET /carts",
    ]);
  });

  it.each<[string, readonly PolicyInput[], readonly PolicyInput[], string]>([
    ["a line that came", [], allowing(GET), "broader"],
    ["a line that went", allowing(GET), [], "narrower"],
    ["another caller", allowing(GET), allowing({ ...GET, from: [{ workload: "mobile" }] }), "both"],
    ["a narrower type of a parameter", allowing({ from, requests: ["GET /orders/{id}"] }), allowing(GET), "narrower"],
    ["a trailing slash", allowing(GET), allowing({ from, requests: ["GET /orders/{id:int}/"] }), "both"],
    [
      "`**` for one segment",
      allowing({ from, requests: ["GET /a/{x}"] }),
      allowing({ from, requests: ["GET /a/**"] }),
      "broader",
    ],
    ["a header that must match", allowing(GET), allowing({ ...GET, headers: { "x-a": "v" } }), "narrower"],
    [
      "`in` for `equals`",
      allowing({ ...GET, headers: { "x-a": "v" } }),
      allowing({ ...GET, headers: { "x-a": { kind: "in", values: ["v", "w"] } } }),
      "broader",
    ],
    [
      "`not` for `notIn`",
      allowing({ ...GET, query: { q: { kind: "not", value: "v" } } }),
      allowing({ ...GET, query: { q: { kind: "notIn", values: ["v", "w"] } } }),
      "narrower",
    ],
    [
      "`equals` for `prefix`",
      allowing({ ...GET, headers: { "x-a": "v" } }),
      allowing({ ...GET, headers: { "x-a": { kind: "prefix", value: "v" } } }),
      "broader",
    ],
    [
      "a scope less",
      allowing({ ...GET, jwt: { provider: "corp", scopes: ["a", "b"] } }),
      allowing({ ...GET, jwt: { provider: "corp", scopes: ["b"] } }),
      "broader",
    ],
    [
      "every member for some member of a claim",
      allowing({ ...GET, jwt: { provider: "corp", claims: { g: { kind: "has", value: "a" } } } }),
      allowing({ ...GET, jwt: { provider: "corp", claims: { g: "a" } } }),
      "narrower",
    ],
    [
      "a larger block",
      allowing({ ...GET, from: [{ workload: "web", addresses: ["10.0.0.0/8"] }] }),
      allowing({ ...GET, from: [{ workload: "web", addresses: ["10.0.0.0/7"] }] }),
      "broader",
    ],
    ["an end in the future", allowing(GET), allowing({ ...GET, notAfter: new Date(NOW.getTime() + 1) }), "narrower"],
    ["an end in the past", [], allowing({ ...GET, notAfter: new Date(NOW.getTime() - 1) }), "equivalent"],
    ["a deny that came", denying(), denying({ requests: ["GET /orders/7"] }), "narrower"],
    ["a deny beside what is allowed", denying(), denying({ requests: ["GET /admin/**"] }), "equivalent"],
    [
      "an exception of a deny",
      denying({ requests: ["ANY /**"] }),
      denying({ requests: ["ANY /**"], except: { from } }),
      "broader",
    ],
    [
      "one line for two",
      allowing({ from, requests: ["GET|POST /a"] }),
      allowing({ from, requests: ["GET /a", "POST /a"] }),
      "equivalent",
    ],
    [
      "the name of a parameter",
      allowing({ from, requests: ["GET /a/{x}"] }),
      allowing({ from, requests: ["GET /a/{y}"] }),
      "equivalent",
    ],
    ["a tcp port", allowing({ from, requests: ["tcp 5432"] }), allowing({ from, requests: ["tcp *"] }), "broader"],
    [
      "gRPC for any POST",
      allowing({ from, requests: ["POST /a/b"] }),
      allowing({ from, requests: ["grpc a/b"] }),
      "both",
    ],
  ])("%s", (_, old, next, direction) => {
    const found = report(old, next);
    expect([found.direction, found.inexact]).toEqual([direction, false]);
    const swapped = { broader: "narrower", narrower: "broader" }[direction] ?? direction;
    expect(report(next, old).direction).toBe(swapped);
  });

  it("names for whom, by which line, and shows a request with both verdicts", () => {
    const [found] = report(
      allowing(GET),
      allowing(GET, { from: [{ workload: "mobile" }], requests: ["DELETE /orders/{id:int}"] }),
    ).destinations;
    expect(found).toMatchObject({
      destination: "shop/orders",
      direction: "broader",
      callers: [
        {
          callers: ["shop/mobile"],
          lines: [{ id: "shop/p/a1#DELETE /orders/{id:int}", change: "added", effect: "allow", direction: "broader" }],
          broader: {
            request: { from: "shop/mobile", to: "shop/orders", request: "DELETE /orders/1" },
            old: { verdict: "deny", reason: "no-rule-matched" },
            new: { verdict: "allow", line: "shop/p/a1#DELETE /orders/{id:int}" },
          },
        },
      ],
    });
    expect(found?.callers[0]?.narrower).toBeUndefined();
  });

  it("lists a line that changes nothing as equivalent, also where a union of others has it", () => {
    const both: RuleInput = { from, requests: ["GET|POST /a"] };
    const parts: RuleInput = { from, requests: ["GET /a", "POST /a"] };
    const found = report(allowing(both, parts), allowing({ ...both, requests: [] }, parts));
    expect(found.direction).toBe("equivalent");
    expect(found.destinations[0]?.lines).toMatchObject([
      { id: "shop/p/a0#GET|POST /a", change: "removed", direction: "equivalent" },
    ]);
  });

  const workloads = (orders: WorkloadInput, web: WorkloadInput = {}): Partial<SetInput> => ({
    workloads: { orders, web },
  });

  it("knows what monitor mode, isolation, labels and the reading of paths do without any line", () => {
    const direction = (old: Partial<SetInput>, next: Partial<SetInput>, policies = allowing(GET)): string =>
      report(policies, policies, old, next).direction;
    expect(direction(workloads({}), workloads({ mode: "monitor" }))).toBe("broader");
    expect(direction(workloads({ mode: "monitor" }), workloads({ mode: "monitor" }))).toBe("equivalent");
    const isolated = { ...workloads({ labels: { env: "prod" } }, { labels: { env: "dev" } }), isolate: ["env"] };
    expect(direction(workloads({ labels: { env: "prod" } }, { labels: { env: "dev" } }), isolated)).toBe("narrower");
    const byLabel = allowing({ ...GET, from: [{ labels: { tier: "web" } }] });
    expect(direction(workloads({}), workloads({}, { labels: { tier: "web" } }), byLabel)).toBe("broader");
    const admin = allowing({ from, requests: ["GET /Admin"] });
    expect(direction(workloads({}), workloads({ caseInsensitive: true }), admin)).toBe("broader");
    expect(direction(workloads({}), workloads({ matrixParameters: "ignore" }), admin)).toBe("broader");
    expect(direction(workloads({ caseInsensitive: true }), workloads({ matrixParameters: "ignore" }), admin)).toBe(
      "both",
    );
  });

  it("knows what a workload and a federated trust domain that come or go do", () => {
    const foreign = allowing({ ...GET, from: [{ trustDomain: "partner.example" }] });
    const found = report(foreign, foreign, {}, { federated: ["partner.example"] });
    expect(found).toMatchObject({ direction: "broader", federation: { added: ["partner.example"], removed: [] } });
    expect(found.destinations[0]?.callers[0]?.callers).toEqual(["spiffe://partner.example/someone"]);
    const gone = report(allowing(GET), [], workloads({}), { workloads: { web: {} } });
    expect(gone).toMatchObject({ direction: "narrower", workloads: { added: [], removed: ["shop/orders"] } });
    expect(gone.destinations[0]).toMatchObject({
      change: "removed",
      callers: [{ narrower: { new: { reason: "unknown-destination" } } }],
    });
  });

  it("says of a deny marked always that monitor mode is held", () => {
    const always = (text: string): readonly PolicyInput[] => denying({ requests: [text], always: true });
    const monitor = workloads({ mode: "monitor" });
    expect(report(denying(), always("GET /x"), monitor).direction).toBe("narrower");
    expect(report(always("GET /x"), always("GET /x/**"), monitor).direction).toBe("narrower");
    expect(report(always("ANY /**"), always("ANY /**"), monitor).direction).toBe("equivalent");
  });
});

describe("a report", () => {
  const found = report(
    allowing(GET),
    allowing(GET, { from: [{ workload: "mobile" }], requests: ["DELETE /a"] }, { from, requests: ["GET /orders/7"] }),
  );

  it("reads on a terminal", () => {
    expect(diffText(found)).toBe(
      [
        "broader: more is allowed at 1 workload; 1 changed line changes nothing",
        "",
        "shop/orders: broader",
        "  broader    added shop/p/a1#DELETE /a",
        "             for shop/mobile",
        "             e.g. shop/mobile → shop/orders: DELETE /a (deny: no-rule-matched, now allow: allowed-by-rule)",
        "  equivalent added shop/p/a2#GET /orders/7",
      ].join("\n"),
    );
  });

  it("fits a pull request, within as many characters as it is given", () => {
    expect(diffMarkdown(found)).toBe(
      [
        "## Policies: broader",
        "",
        "more is allowed at 1 workload; 1 changed line changes nothing.",
        "",
        "### `shop/orders`: broader",
        "",
        "- **broader** for `shop/mobile`: `shop/p/a1#DELETE /a` was added",
        "  - `shop/mobile → shop/orders: DELETE /a (deny: no-rule-matched, now allow: allowed-by-rule)`",
        "- equivalent: `shop/p/a2#GET /orders/7` was added and changes nothing",
        "",
      ].join("\n"),
    );
    const short = diffMarkdown(found, { maxChars: 200 });
    expect(short.length).toBeLessThanOrEqual(200);
    expect(short).toContain("1 more section");
  });

  it("keeps foreign text from being markup, a mention, a link or a line of its own", () => {
    expect(code("a`b``c")).toBe("```a`b``c```");
    expect(code("`x`")).toBe("`` `x` ``");
    expect(code("@team\n# big\u202e<img src=x>")).toBe("`@team\\u000a# big\\u202e<img src=x>`");
    expect(code("")).toBe("`  `");
  });
});
