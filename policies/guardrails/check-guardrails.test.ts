import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import { attributesOf, type Finding } from "../findings/index.ts";
import { checkGuardrails, guardrailDigest } from "./check-guardrails.ts";
import { allow, doc, guardrail, mesh, NOW, read } from "./testing/mesh.ts";

const check = (...texts: readonly (string | readonly string[])[]): readonly Finding[] => {
  const { set, documents } = read(...texts);
  const findings = checkGuardrails(set, documents, { now: NOW });
  for (const { witness } of findings) {
    if (witness === undefined) continue;
    expect(decide(compile(set), attributesOf(witness, set, { now: NOW })).verdict).toBe("allow");
  }
  return findings;
};
const brief = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ id, message }) => `${id}: ${message}`);
const DEV = { from: { labels: { env: "dev" } }, to: { labels: { data: "pci" } } };
const ANY = { ...DEV, through: "any" };
const SHOP = mesh({ web: { env: "dev" }, api: {}, broker: { role: "broker" }, cards: { data: "pci" } });

describe("never, direct", () => {
  it("is broken by a line that lets the caller in, with a request that shows it and the line's place", () => {
    const [finding, ...others] = check(SHOP, allow("cards", ["web"]), guardrail({ never: [DEV] }));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ id: "guardrail-never", severity: "error" });
    expect(finding?.message).toMatch(
      /^`shop\/web` can reach `shop\/cards`, and `mesh\/g` forbids it: shop\/web → shop\/cards: GET \/a\//,
    );
    expect(finding?.witness).toMatchObject({ from: "shop/web", to: "shop/cards" });
    expect(finding?.related?.[0]?.message).toBe("allowed by `shop/to-cards/in#GET /a/{id}`");
  });

  it("is kept where nobody named is let in, and over others when only direct ways are meant", () => {
    expect(check(SHOP, allow("cards", ["api"]), allow("api", ["web"]), guardrail({ never: [DEV] }))).toEqual([]);
  });

  it("is kept where denies cover all that is allowed, and broken where they leave something", () => {
    const denied = (request: string): string =>
      allow("cards", ["web"], {}, { deny: [{ name: "no", from: [{ workload: "web" }], requests: [request] }] });
    expect(check(SHOP, denied("ANY /a/**"), guardrail({ never: [DEV] }))).toEqual([]);
    expect(check(SHOP, denied("GET /a/{id:int}"), guardrail({ never: [DEV] }))).toHaveLength(1);
  });

  it("finds the header, query, time and host that a line asks for", () => {
    const rule = {
      headers: { "x-tenant": { in: ["acme", "globex"] }, "x-debug": { absent: true } },
      query: { page: { prefix: "1" } },
      hosts: ["cards.internal"],
      notBefore: "2027-01-01",
    };
    const [finding] = check(SHOP, allow("cards", ["web"], rule), guardrail({ never: [DEV] }));
    expect(finding?.witness).toMatchObject({ headers: { "x-tenant": "acme" }, host: "cards.internal" });
  });

  it("is kept where the rule has ended, its conditions contradict, or isolation keeps the two apart", () => {
    expect(check(SHOP, allow("cards", ["web"], { notAfter: "2026-01-01" }), guardrail({ never: [DEV] }))).toEqual([]);
    expect(
      check(
        SHOP,
        allow("cards", ["web"], { ports: [1], except: { from: [{ workload: "web" }] } }),
        guardrail({ never: [DEV] }),
      ),
    ).toEqual([]);
    const isolated = mesh({ web: { env: "dev" }, cards: { data: "pci", env: "prod" } }, { isolate: ["env"] });
    expect(check(isolated, allow("cards", ["web"]), guardrail({ never: [DEV] }))).toEqual([]);
    expect(check(isolated, allow("cards", ["web"], { across: ["env"] }), guardrail({ never: [DEV] }))).toHaveLength(1);
  });

  it("is broken by a workload in monitor mode, whatever its rules say, but for denies that always hold", () => {
    const monitored = mesh({ web: { env: "dev" }, cards: { data: "pci", mode: "monitor" } });
    const [finding] = check(monitored, guardrail({ never: [DEV] }));
    expect(finding?.message).toContain("(in monitor mode)");
    const always = doc("AccessPolicy", "p", {
      protects: { workload: "cards" },
      deny: [{ name: "never", from: [{ workload: "web" }], always: true }],
    });
    expect(check(monitored, always, guardrail({ never: [DEV] }))).toEqual([]);
  });

  it("does not count what a workload asks of itself, nor candidates", () => {
    const both = mesh({ cards: { data: "pci", env: "dev" } });
    expect(check(both, allow("cards", ["cards"]), guardrail({ never: [DEV] }))).toEqual([]);
    const candidate = allow("cards", ["web"], {}, { stage: "candidate" });
    expect(check(SHOP, candidate, guardrail({ never: [DEV] }))).toEqual([]);
  });

  it("is about identities of other trust domains too, named by policies or only by the guardrail", () => {
    const never = (spiffe: string) => guardrail({ never: [{ from: { spiffe }, to: { workload: "shop/cards" } }] });
    const whole = allow("cards", [{ trustDomain: "partner.example" }]);
    const one = allow("cards", [{ spiffe: "spiffe://partner.example/billing/eu" }]);
    expect(check(SHOP, whole, never("spiffe://partner.example/dev/x"))).toHaveLength(1);
    expect(check(SHOP, whole, never("spiffe://partner.example/dev/**"))).toHaveLength(1);
    expect(check(SHOP, one, never("spiffe://partner.example/billing/**"))).toHaveLength(1);
    expect(check(SHOP, one, never("spiffe://partner.example/dev/**"))).toEqual([]);
  });

  it("is about anonymous callers of edge listeners, and about probes", () => {
    const sidecar = (clients: string, more: object = {}) => ({
      address: "cards",
      listens: [{ port: 443, app: "unix:/run/a", protocol: "http", clients }],
      ...more,
    });
    const never = guardrail({ never: [{ from: { anyone: "anonymous" }, to: { workload: "shop/cards" } }] });
    const everybody = allow("cards", [{ anyone: "anonymous" }]);
    expect(check(mesh({ cards: { sidecar: sidecar("public") } }), everybody, never)).toHaveLength(1);
    expect(check(mesh({ cards: { sidecar: sidecar("mesh"), mode: "monitor" } }), everybody, never)).toEqual([]);
    const probes = sidecar("mesh", { probes: { port: 15021, paths: ["/healthz"] } });
    expect(brief(check(mesh({ cards: { sidecar: probes } }), never))[0]).toContain("on its probe port 15021");
  });
});

describe("never, through any", () => {
  it("finds the shortest way and says each hop", () => {
    const long = [allow("api", ["web"]), allow("broker", ["api"])];
    const [finding] = check(SHOP, ...long, allow("cards", ["broker", "api"]), guardrail({ never: [ANY] }));
    expect(finding?.message).toContain("`shop/web` can reach `shop/cards` over 1 other, and");
    expect(finding?.message).toMatch(/shop\/web → shop\/api: GET .*; then shop\/api → shop\/cards: GET /);
    expect(finding?.related).toHaveLength(2);
  });

  it("does not count ways over workloads that `stopAt` names, nor ends there", () => {
    const stopped = { ...ANY, stopAt: { labels: { role: "broker" } } };
    const ways = [allow("broker", ["web"]), allow("cards", ["broker"])];
    expect(check(SHOP, ...ways, guardrail({ never: [ANY] }))).toHaveLength(1);
    expect(check(SHOP, ...ways, guardrail({ never: [stopped] }))).toEqual([]);
    expect(check(SHOP, ...ways, allow("api", ["web"]), guardrail({ never: [stopped] }))).toEqual([]);
    const target = { ...stopped, to: { labels: { role: "broker" } } };
    expect(check(SHOP, allow("broker", ["web"]), guardrail({ never: [target] }))).toHaveLength(1);
  });

  it("ends in circles", () => {
    const circle = [allow("api", ["web", "broker"]), allow("broker", ["api"])];
    expect(check(SHOP, ...circle, guardrail({ never: [ANY] }))).toEqual([]);
  });

  it("says how many callers there are, once for each workload reached", () => {
    const two = mesh({ web: { env: "dev" }, job: { env: "dev" }, cards: { data: "pci" }, vault: { data: "pci" } });
    const findings = check(two, allow("cards", ["web", "job"]), allow("vault", ["cards"]), guardrail({ never: [ANY] }));
    expect(findings).toHaveLength(2);
    for (const { message } of findings) expect(message).toContain("and so can 1 more");
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });
});

describe("only", () => {
  const only = guardrail({ only: [{ from: { workload: "shop/api" }, to: { labels: { data: "pci" } } }] });

  it("is broken by anybody else, and kept by those named", () => {
    expect(check(SHOP, allow("cards", ["api"]), only)).toEqual([]);
    expect(brief(check(SHOP, allow("cards", ["api", "web"]), only))[0]).toContain(
      "guardrail-only: `shop/web` can reach",
    );
    expect(check(SHOP, allow("cards", [{ anyone: "authenticated" }]), only)[0]?.message).toContain("and so can 1 more");
    expect(check(SHOP, allow("cards", [{ trustDomain: "partner.example" }]), only)).toHaveLength(1);
  });

  it("is about direct ways", () => {
    expect(check(SHOP, allow("cards", ["api"]), allow("api", ["web"]), only)).toEqual([]);
  });
});

describe("checkGuardrails", () => {
  it("says where a guardrail is about nobody", () => {
    const nobody = guardrail({ never: [{ from: { labels: { app: "nobody" } }, to: { labels: { data: "none" } } }] });
    expect(check(SHOP, nobody).map(({ id, severity }) => [id, severity])).toEqual([
      ["guardrail-matches-nothing", "warning"],
      ["guardrail-matches-nothing", "warning"],
    ]);
  });

  it("holds guardrails in force that the set removes, and each once", () => {
    const old = read(SHOP, guardrail({ never: [DEV] }));
    const { set, documents } = read(SHOP, allow("cards", ["web"]));
    expect(checkGuardrails(set, documents, { now: NOW, alsoHold: old.documents })).toHaveLength(1);
    const kept = read(SHOP, allow("cards", ["web"]), guardrail({ never: [DEV] }));
    expect(checkGuardrails(kept.set, kept.documents, { now: NOW, alsoHold: old.documents })).toHaveLength(1);
  });

  it("digests what guardrails say, whatever their places", () => {
    const [a, b] = [read(SHOP, guardrail({ never: [DEV] })), read(guardrail({ never: [DEV] }), SHOP)];
    expect(guardrailDigest(a.documents)).toBe(guardrailDigest(b.documents));
    expect(guardrailDigest(a.documents)).toMatch(/^[0-9a-f]{64}$/);
    expect(guardrailDigest(read(SHOP, guardrail({ never: [ANY] })).documents)).not.toBe(guardrailDigest(a.documents));
  });
});
