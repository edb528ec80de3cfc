import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { compile, noPolicyIndex, withRevocations } from "../compile/compile.ts";
import type { Attributes, Revocations } from "../model/index.ts";
import { PolicyError } from "../policy-error.ts";
import {
  attributes,
  buildSet,
  identityOf,
  NOW,
  type PolicyInput,
  type RequestInput,
  type RuleInput,
} from "../testing/build.ts";
import { decideBoth } from "../testing/decide-both.ts";
import { SPAN } from "../testing/span.ts";
import { decide } from "./decide.ts";
import { warm } from "./warm.ts";

const WEB = [{ workload: "web" }];
const READS: RuleInput = { name: "reads", from: WEB, requests: ["GET /orders/{id:int}"] };
const ALL: RuleInput = { name: "all", from: WEB, requests: ["ANY /**"] };
const policy = (rules: { allow?: readonly RuleInput[]; deny?: readonly RuleInput[] }): PolicyInput => ({
  name: "p",
  protects: "orders",
  ...rules,
});
const reason = (rules: Parameters<typeof policy>[0], request: RequestInput, more = {}): string =>
  decideBoth([policy(rules)], request, more).reason;

describe("a decision", () => {
  it("names policy, rule, line, path and identities, and is frozen", () => {
    const decision = decideBoth(
      [policy({ allow: [READS] })],
      { path: "/orders/%34%32?x=1" },
      {},
      { epoch: 2, revision: 7 },
    );
    expect(decision).toEqual({
      id: decision.id,
      verdict: "allow",
      evaluated: "allow",
      mode: "enforce",
      phase: "allow",
      outcome: "allowed",
      reason: "allowed-by-rule",
      policy: "shop/p",
      rule: "reads",
      line: "shop/p/reads#GET /orders/{id:int}",
      epoch: 2,
      revision: 7,
      path: "/orders/42",
      destination: identityOf("orders"),
      caller: identityOf("web"),
      tookMicros: decision.tookMicros,
    });
    expect(Object.isFrozen(decision)).toBe(true);
    expect(decision.id).toMatch(/^[\w-]{22}$/);
  });

  it("has an id of its own, from the source that is given", () => {
    const index = compile(buildSet({ workloads: {}, policies: [] }), { random: () => "id-1" });
    expect(decide(index, attributes({})).id).toBe("id-1");
    const ids = Array.from({ length: 1_000 }, () => decide(noPolicyIndex(), attributes({})).id);
    expect(new Set(ids).size).toBe(1_000);
  });

  it("names the first line by id whatever the order of policies and rules", () => {
    const [a, b] = [
      { ...ALL, name: "a" },
      { ...ALL, name: "b" },
    ];
    expect(decideBoth([policy({ allow: [b, a] })], {}).rule).toBe("a");
    expect(decideBoth([policy({ allow: [a, b] })], {}).rule).toBe("a");
  });
});

describe("what cannot be understood", () => {
  it("is denied for its own reason before any rule", () => {
    const rules = { allow: [ALL, { name: "f", from: [{ trustDomain: "partner.example" }], requests: ["ANY /**"] }] };
    const more = { federated: ["partner.example"] };
    expect(reason(rules, { to: "ghost" })).toBe("unknown-destination");
    expect(reason(rules, { from: "spiffe://partner.example/a" })).toBe("untrusted-domain");
    expect(reason(rules, { from: "spiffe://partner.example/a" }, more)).toBe("allowed-by-rule");
    expect(reason(rules, { from: "ghost" })).toBe("unregistered-identity");
    expect(reason(rules, { from: "spiffe://shop.example/cellwall/agent/a" })).toBe("system-identity");
    expect(reason(rules, { from: "spiffe://partner.example/cellwall/authority" }, more)).toBe("system-identity");
    expect(reason(rules, { more: { callerProblem: "two URI SANs" } })).toBe("malformed-identity");
    expect(reason(rules, { path: "/a/../b" })).toBe("ambiguous-path");
    expect(reason(rules, { host: "a,b" })).toBe("ambiguous-host");
  });

  it("includes a caller without identity on a mesh listener; on an edge listener it is anonymous", () => {
    const set = buildSet({
      workloads: { orders: {} },
      policies: [policy({ allow: [{ from: [{ anyone: "anonymous" }], requests: ["GET /**"] }] })],
    });
    const index = compile(set);
    expect(decide(index, attributes({})).reason).toBe("malformed-identity");
    const edge = decide(index, attributes({ edge: true, from: "web" }));
    expect(edge.reason).toBe("allowed-by-rule");
    expect(edge.caller).toBeUndefined();
  });

  it("includes revoked identities and certificates", () => {
    const revocations: Revocations = {
      sequence: 1,
      serials: new Set(["aa"]),
      identities: new Set([identityOf("web")]),
    };
    const set = buildSet({ workloads: { orders: {}, web: {}, db: {} }, policies: [policy({ allow: [ALL] })] });
    const index = compile(set);
    expect(decide(index, attributes({ from: "web" })).reason).toBe("allowed-by-rule");
    const revoked = withRevocations(index, revocations);
    expect(decide(revoked, attributes({ from: "web" })).reason).toBe("revoked-identity");
    expect(decide(revoked, attributes({ from: "db", more: { callerSerial: "aa" } })).reason).toBe("revoked-identity");
    expect(decide(revoked, attributes({ from: "db", more: { callerSerial: "ab" } })).reason).toBe("no-rule-matched");
    expect(decide(index, attributes({ from: "web" })).reason).toBe("allowed-by-rule");
  });

  it("includes every request without a policy, in monitor too, and every request long after expiry", () => {
    expect(decide(noPolicyIndex(), attributes({ from: "web" }))).toMatchObject({
      reason: "no-policy",
      outcome: "unavailable",
    });
    const expired = { expiresAt: new Date(NOW.getTime() - 1_000), maxStaleMs: 1_000 };
    const monitor = { workloads: { orders: { mode: "monitor" as const } } };
    expect(decideBoth([policy({ allow: [ALL] })], {}, monitor, expired).reason).toBe("allowed-by-rule");
    const later = { now: new Date(NOW.getTime() + 1) };
    expect(decideBoth([policy({ allow: [ALL] })], later, monitor, expired)).toMatchObject({
      reason: "stale-policy",
      verdict: "deny",
      outcome: "unavailable",
    });
    expect(decideBoth([], {}, {}, { expiresAt: new Date(Number.NaN) }).reason).toBe("stale-policy");
  });
});

describe("anything unexpected", () => {
  const index = compile(
    buildSet({ workloads: { orders: { mode: "monitor" }, web: {} }, policies: [policy({ allow: [ALL] })] }),
  );

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", "x"],
    ["neither http nor tcp", { ...attributes({ from: "web" }), http: undefined }],
    ["both http and tcp", { ...attributes({ from: "web" }), tcp: {} }],
    ["no time", { ...attributes({ from: "web" }), now: new Date(Number.NaN) }],
    ["no listener", { ...attributes({ from: "web" }), listener: undefined }],
    [
      "headers that are no map",
      { ...attributes({ from: "web", method: "POST" }), http: { ...attributes({}).http, method: "POST", headers: 7 } },
    ],
    [
      "a destination that throws",
      {
        ...attributes({ from: "web" }),
        destination: {
          toString: () => {
            throw new Error("no");
          },
        },
      },
    ],
  ])("is a denial, never an exception: %s", (_name, value) => {
    const decision = decide(index, value as Attributes);
    expect(decision).toMatchObject({
      verdict: "deny",
      reason: "internal-error",
      outcome: "unavailable",
      phase: "failure",
    });
    expect(Object.isFrozen(decision)).toBe(true);
  });

  it("is a denial where the source of ids throws", () => {
    const throwing = compile(buildSet({ workloads: {}, policies: [] }), {
      random: () => {
        throw new Error("empty");
      },
    });
    expect(decide(throwing, attributes({})).reason).toBe("internal-error");
  });
});

describe("rules", () => {
  it("deny before they allow, and by default", () => {
    expect(reason({ allow: [ALL], deny: [{ requests: ["ANY /admin/**"] }] }, { path: "/admin" })).toBe(
      "denied-by-rule",
    );
    expect(reason({ allow: [READS] }, { path: "/orders/x" })).toBe("no-rule-matched");
    expect(decideBoth([], {}).reason).toBe("no-policy-protects");
  });

  it("tell gRPC, HTTP, upgrades and connections apart in an allow", () => {
    const grpc = { path: "/shop.Orders/Get", method: "POST", headers: { "content-type": "application/grpc+proto" } };
    const http: RuleInput = { from: WEB, requests: ["ANY /**", "POST /**"] };
    expect(reason({ allow: [http] }, grpc)).toBe("no-rule-matched");
    expect(reason({ allow: [http] }, { ...grpc, headers: { "content-type": "Application/gRPC" } })).toBe(
      "no-rule-matched",
    );
    expect(reason({ allow: [http] }, { ...grpc, headers: { "content-type": "application/grpc-web" } })).toBe(
      "allowed-by-rule",
    );
    expect(reason({ allow: [{ from: WEB, requests: ["grpc shop.Orders/*"] }] }, grpc)).toBe("allowed-by-rule");
    const two = { "content-type": ["application/grpc", "text/plain"] };
    expect(reason({ allow: [{ from: WEB, requests: ["grpc shop.Orders/*"] }, http] }, { ...grpc, headers: two })).toBe(
      "no-rule-matched",
    );
    expect(reason({ allow: [http] }, { upgrade: "websocket" })).toBe("no-rule-matched");
    const live: RuleInput = { from: WEB, requests: ["websocket /live/**"] };
    expect(reason({ allow: [live] }, { path: "/live/a", upgrade: "websocket" })).toBe("allowed-by-rule");
    expect(reason({ allow: [live] }, { path: "/live/a", upgrade: "h2c" })).toBe("no-rule-matched");
    expect(reason({ allow: [live] }, { path: "/live/a" })).toBe("no-rule-matched");
    expect(reason({ allow: [http] }, { tcp: true })).toBe("no-rule-matched");
    expect(reason({ allow: [{ from: WEB, requests: ["tcp 5432"] }] }, { tcp: true, port: 5432 })).toBe(
      "allowed-by-rule",
    );
    expect(reason({ allow: [{ from: WEB, requests: ["tcp 5432"] }] }, { tcp: true, port: 5433 })).toBe(
      "no-rule-matched",
    );
  });

  it("reach further in a deny", () => {
    const deny = (request: string, asked: RequestInput): string =>
      reason(
        {
          allow: [ALL, { name: "t", from: WEB, requests: ["tcp *", "websocket /**", "grpc a/b"] }],
          deny: [{ requests: [request] }],
        },
        asked,
      );
    expect(deny("GET /a", { path: "/a/", method: "HEAD" })).toBe("denied-by-rule");
    expect(deny("GET /a/**", { path: "/a", upgrade: "websocket" })).toBe("denied-by-rule");
    expect(deny("ANY /**", { tcp: true })).toBe("denied-by-rule");
    expect(deny("ANY /a/**", { tcp: true })).toBe("allowed-by-rule");
    expect(deny("grpc a/b", { path: "/a/b/", method: "GET" })).toBe("denied-by-rule");
    expect(deny("POST /a/b", { path: "/a/b", method: "POST", headers: { "content-type": "application/grpc" } })).toBe(
      "denied-by-rule",
    );
    const everything = { name: "d" };
    expect(decideBoth([policy({ allow: [ALL], deny: [everything] })], { tcp: true }).line).toBe("shop/p/d#*");
    expect(reason({ deny: [everything] }, { edge: true })).toBe("denied-by-rule");
  });

  it("let `except` carve widely out of an allow and spare narrowly from a deny", () => {
    const allow = { ...ALL, except: { requests: ["GET /a/**"] } };
    expect(reason({ allow: [allow] }, { path: "/a" })).toBe("no-rule-matched");
    expect(reason({ allow: [allow] }, { path: "/a/", method: "HEAD" })).toBe("no-rule-matched");
    expect(reason({ allow: [allow] }, { path: "/b" })).toBe("allowed-by-rule");
    const deny = { requests: ["ANY /**"], except: { requests: ["GET /a/**"] } };
    expect(reason({ allow: [ALL], deny: [deny] }, { path: "/a/b" })).toBe("allowed-by-rule");
    expect(reason({ allow: [ALL], deny: [deny] }, { path: "/a" })).toBe("denied-by-rule");
    expect(reason({ allow: [ALL], deny: [{ except: { from: WEB } }] }, {})).toBe("allowed-by-rule");
  });

  it("never match a label selector on a caller that is not registered", () => {
    const rules = {
      allow: [{ from: [{ labels: { legacy: { kind: "absent" as const } }, namespace: "*" }], requests: ["ANY /**"] }],
    };
    const more = { federated: ["partner.example"] };
    expect(reason(rules, {}, more)).toBe("allowed-by-rule");
    expect(reason(rules, { from: "spiffe://partner.example/a" }, more)).toBe("no-rule-matched");
    expect(reason(rules, { edge: true }, more)).toBe("no-rule-matched");
  });

  it("hold within their time, both ends included", () => {
    const at = (ms: number): RequestInput => ({ now: new Date(NOW.getTime() + ms) });
    const timed = { ...ALL, notBefore: NOW, notAfter: new Date(NOW.getTime() + 10) };
    expect([-1, 0, 10, 11].map((ms) => reason({ allow: [timed] }, at(ms)) === "allowed-by-rule")).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("read paths and patterns alike without regard to case where the workload does", () => {
    const more = { workloads: { orders: { caseInsensitive: true } } };
    expect(reason({ allow: [{ from: WEB, requests: ["GET /Orders/V{id}"] }] }, { path: "/oRDERS/vX" }, more)).toBe(
      "allowed-by-rule",
    );
    expect(reason({ allow: [ALL], deny: [{ requests: ["ANY /Admin/**"] }] }, { path: "/ADMIN/x" }, more)).toBe(
      "denied-by-rule",
    );
  });
});

describe("isolation", () => {
  const more = {
    isolate: ["env"],
    workloads: { orders: { labels: { env: "prod" } }, web: { labels: { env: "dev" } }, tool: {} },
  };

  it("keeps workloads apart whose label differs or is missing, unless a rule that matches goes across", () => {
    expect(decideBoth([policy({ allow: [ALL] })], {}, more)).toMatchObject({ reason: "isolated", detail: "env" });
    expect(
      reason({ allow: [{ from: [{ anyone: "authenticated" }], requests: ["ANY /**"] }] }, { from: "tool" }, more),
    ).toBe("isolated");
    expect(reason({ allow: [{ ...ALL, across: ["env"] }] }, {}, more)).toBe("allowed-by-rule");
    expect(reason({ allow: [{ ...READS, across: ["env"] }] }, { path: "/x" }, more)).toBe("isolated");
  });

  it("does not hold denies back", () => {
    expect(reason({ allow: [{ ...ALL, across: ["env"] }], deny: [{ from: WEB }] }, {}, more)).toBe("denied-by-rule");
  });
});

describe("what is unknown", () => {
  const withheld = { more: { withheldHeaders: new Set(["authorization"]) } };
  const asksHeader = { name: "h", from: WEB, requests: ["ANY /a"], headers: { authorization: "x" } };

  it("denies as cannot-evaluate in a rule that otherwise matches, an allow beside another that is true included", () => {
    expect(decideBoth([policy({ allow: [asksHeader] })], { path: "/a", ...withheld })).toMatchObject({
      reason: "cannot-evaluate",
      outcome: "unavailable",
      phase: "failure",
      rule: "h",
    });
    expect(reason({ allow: [asksHeader, ALL] }, { path: "/a", ...withheld })).toBe("cannot-evaluate");
    expect(reason({ allow: [asksHeader, ALL] }, { path: "/b", ...withheld })).toBe("allowed-by-rule");
    const deny = { headers: { authorization: "x" } };
    expect(reason({ allow: [ALL], deny: [deny] }, withheld)).toBe("cannot-evaluate");
    expect(reason({ allow: [ALL], deny: [deny, { name: "sure" }] }, withheld)).toBe("denied-by-rule");
  });

  it("is a peer address that is missing or unreadable", () => {
    const rule = { from: [{ workload: "web", addresses: ["10.0.0.0/8"] }], requests: ["ANY /**"] };
    const from = (peerAddress: string): RequestInput => ({ more: { peerAddress } });
    expect(reason({ allow: [rule] }, {})).toBe("cannot-evaluate");
    expect(reason({ allow: [rule] }, from("?"))).toBe("cannot-evaluate");
    expect(reason({ allow: [rule] }, from("::ffff:10.9.9.9"))).toBe("allowed-by-rule");
    expect(reason({ allow: [rule] }, from("11.0.0.1"))).toBe("no-rule-matched");
  });
});

describe("a missing token", () => {
  const rule = { ...ALL, jwt: { provider: "corp", scopes: ["orders:write"] } };
  const token = (state: unknown): RequestInput => ({
    more: { claims: new Map([["corp", state]]) } as Partial<Attributes>,
  });

  it("is answered with 401 where nothing else is lacking, a wrong one with 403", () => {
    const asked = (state: unknown, path = "/"): unknown =>
      decideBoth([policy({ allow: [rule, READS] })], { ...token(state), path }).outcome;
    expect(asked({ kind: "absent" })).toBe("unauthenticated");
    expect(asked({ kind: "verified", payload: { exp: 1 } })).toBe("unauthenticated");
    expect(asked({ kind: "verified", payload: { exp: 1e12, scope: "orders:read" } })).toBe("forbidden");
    expect(asked({ kind: "verified", payload: { exp: 1e12, scope: "orders:read orders:write" } })).toBe("allowed");
    expect(asked({ kind: "absent" }, "/orders/1")).toBe("allowed");
    expect(decideBoth([policy({ allow: [rule] })], {}).reason).toBe("cannot-evaluate");
  });
});

describe("monitor mode", () => {
  const more = { workloads: { orders: { mode: "monitor" as const } } };
  const monitored = (rules: Parameters<typeof policy>[0], request: RequestInput, also = {}) =>
    decideBoth([policy(rules)], request, { ...more, ...also });

  it("returns allow for what it relaxes, and records the denial", () => {
    expect(monitored({ allow: [READS] }, {})).toMatchObject({
      verdict: "allow",
      evaluated: "deny",
      outcome: "allowed",
      reason: "no-rule-matched",
      mode: "monitor",
    });
    const relaxed = [
      monitored({ deny: [{ requests: ["ANY /**"] }] }, {}),
      decideBoth([], {}, more),
      monitored({}, {}, { isolate: ["env"] }),
      monitored({}, { path: "/a%2Fb" }),
      monitored({}, { host: "a@b" }),
    ];
    expect(relaxed.map(({ verdict, reason: why }) => [verdict, why])).toEqual([
      ["allow", "denied-by-rule"],
      ["allow", "no-policy-protects"],
      ["allow", "isolated"],
      ["allow", "ambiguous-path"],
      ["allow", "ambiguous-host"],
    ]);
  });

  it("relaxes nothing else", () => {
    const rules = { allow: [{ ...ALL, headers: { authorization: "x" } }] };
    const held = [
      monitored(rules, { more: { withheldHeaders: new Set(["authorization"]) } }),
      monitored(rules, { from: "ghost" }),
      monitored(rules, { from: "spiffe://stranger.example/a" }),
      monitored(rules, { from: "spiffe://shop.example/cellwall/authority" }),
      monitored(rules, { more: { callerProblem: "none" } }),
      decideBoth([], {}, more, {
        revocations: { sequence: 1, serials: new Set(), identities: new Set([identityOf("web")]) },
      }),
    ];
    expect(held.map(({ verdict }) => verdict)).toEqual(held.map(() => "deny"));
  });

  it("holds denies marked `always`, for paths and hosts that were refused and for isolated callers too", () => {
    const always: RuleInput = { requests: ["ANY /admin/**"], always: true };
    expect(monitored({ deny: [always, { name: "a" }] }, { path: "/admin/x" })).toMatchObject({
      verdict: "deny",
      reason: "denied-by-rule",
      rule: "d0",
    });
    expect(monitored({ deny: [always] }, { path: "/x%2F..%2Fadmin" })).toMatchObject({
      verdict: "deny",
      reason: "ambiguous-path",
    });
    expect(
      monitored({ deny: [{ ...always, requests: ["POST /admin/**"] }] }, { path: "/x%2F..%2Fadmin" }).verdict,
    ).toBe("allow");
    expect(monitored({ deny: [{ hosts: ["admin.shop"], always: true }] }, { host: "a,admin.shop" }).verdict).toBe(
      "deny",
    );
    expect(monitored({ deny: [{ ...always, requests: ["ANY /b"] }] }, { host: "a,b", path: "/a" }).verdict).toBe(
      "allow",
    );
    expect(monitored({ deny: [always] }, { path: "/admin" }, { isolate: ["env"] })).toMatchObject({
      verdict: "deny",
      reason: "isolated",
    });
  });
});

describe("candidates", () => {
  const live = policy({ allow: [READS] });
  const asked: RequestInput = { path: "/orders/1" };
  const candidate = (more: Partial<PolicyInput>): PolicyInput => ({ ...live, stage: "candidate", allow: [], ...more });
  const verdicts = (policies: readonly PolicyInput[], more = {}): unknown => {
    const { verdict, candidate: other } = decideBoth(policies, asked, more);
    return [verdict, other?.verdict, other?.reason];
  };

  it("stand in for the live policy of their name, are added, or withdraw it, and decide nothing", () => {
    expect(verdicts([live])).toEqual(["allow", undefined, undefined]);
    expect(verdicts([live, candidate({})])).toEqual(["allow", "deny", "no-rule-matched"]);
    expect(verdicts([live, candidate({ action: "withdraw" })])).toEqual(["allow", "deny", "no-policy-protects"]);
    expect(verdicts([live, candidate({ name: "q", deny: [{}] })])).toEqual(["allow", "deny", "denied-by-rule"]);
    expect(verdicts([candidate({ allow: [READS] })])).toEqual(["deny", "allow", "allowed-by-rule"]);
    expect(verdicts([live, candidate({ protects: "web" })])).toEqual(["allow", "deny", "no-policy-protects"]);
    expect(verdicts([live, candidate({ name: "q", protects: "web" })])).toEqual(["allow", undefined, undefined]);
  });

  it("are judged before monitor mode", () => {
    const more = { workloads: { orders: { mode: "monitor" } } };
    expect(verdicts([live, candidate({})], more)).toEqual(["allow", "deny", "no-rule-matched"]);
  });
});

describe("compile", () => {
  it("refuses a set with an error, with its place", () => {
    const set = buildSet({ workloads: {}, policies: [] });
    const wrong = {
      ...set,
      diagnostics: [{ severity: "error" as const, code: "ERR_POLICY_X", span: SPAN, message: "no such thing" }],
    };
    expect(() => compile(wrong)).toThrow(PolicyError);
    expect(() => compile(wrong)).toThrow("test.yaml:1:1 no such thing");
  });

  it("decides about the destinations that are asked for only", () => {
    const set = buildSet({ workloads: { orders: {}, web: {} }, policies: [policy({ allow: [ALL] })] });
    const index = compile(set, { destinations: [identityOf("web")] });
    expect(decide(index, attributes({ from: "web" })).reason).toBe("unknown-destination");
  });

  it("keeps deciding right when more callers come than it keeps views of", () => {
    const set = buildSet({
      workloads: { orders: {} },
      federated: ["partner.example"],
      policies: [policy({ allow: [{ from: [{ spiffe: "spiffe://partner.example/a/**" }], requests: ["ANY /**"] }] })],
    });
    const index = compile(set);
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 3_000; at++) {
        const from = `spiffe://partner.example/${at % 2 === 0 ? "a" : "b"}/${at}`;
        expect(decide(index, attributes({ from })).reason).toBe(at % 2 === 0 ? "allowed-by-rule" : "no-rule-matched");
      }
    }
    const destination = index.policies?.destinations.get(identityOf("orders"));
    expect(destination?.views.size).toBe(1_024);
    expect(destination?.tables.size).toBe(2);
  });

  it("warms without a trace in later decisions", () => {
    const set = buildSet({
      workloads: { orders: {}, web: {} },
      policies: [policy({ allow: [READS], deny: [{ requests: ["grpc a/*", "tcp 1", "websocket /w"] }] })],
    });
    const [cold, hot] = [compile(set), compile(set)];
    warm(hot);
    warm(noPolicyIndex());
    for (const path of ["/orders/1", "/orders/x", "/w"]) {
      const asked = { ...attributes({ from: "web", path }), destination: parseSpiffeId(identityOf("orders")) };
      expect(decide(hot, asked).reason).toBe(decide(cold, asked).reason);
    }
  });
});
