import { describe, expect, it } from "vitest";
import { attributesOf, type WitnessRequest } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import { type ImportOptions, importPolicies } from "../index.ts";

function imported(text: string, options: ImportOptions = {}) {
  const result = importPolicies("consul", [{ path: "intentions.yaml", text }], options);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const verdict = (from: string, to: string, request: string, more: Partial<WitnessRequest> = {}): string =>
    decide(compile(set), attributesOf({ from, to, request, ...more }, set, { now: new Date("2026-11-24T12:00:00Z") }))
      .verdict;
  return { ...result, verdict };
}

describe("forms of service intentions", () => {
  it("reads a config entry with keys as the API writes them", () => {
    const { verdict } = imported(
      JSON.stringify({
        Kind: "service-intentions",
        Name: "web",
        Sources: [{ Name: "api", Permissions: [{ Action: "allow", HTTP: { PathPrefix: "/v1/", Methods: ["GET"] } }] }],
      }),
    );
    expect(verdict("default/api", "default/web", "GET /v1/x")).toBe("allow");
    expect(verdict("default/api", "default/web", "GET /v1")).toBe("deny");
    expect(verdict("default/api", "default/web", "POST /v1/x")).toBe("deny");
  });

  it("registers services that the registry lacks, names made fit", () => {
    const { documents, verdict } = imported(
      "kind: ServiceIntentions\nmetadata: { name: x }\nspec: { destination: { name: web_app }, sources: [{ name: Api, action: allow }] }\n",
    );
    expect(documents).toContain("spiffe://cluster.local/ns/default/dc/dc1/svc/web_app");
    expect(verdict("default/api", "default/web-app", "GET /")).toBe("allow");
  });
});

const WEB = (source: string): string =>
  `kind: ServiceIntentions\nmetadata: { name: web }\nspec: { destination: { name: web }, sources: [${source}, { name: api, action: deny }] }\n`;

describe("what cannot be carried over", () => {
  it.each([
    [
      "a token of a provider that nobody defines",
      "{ name: b, permissions: [{ action: allow, http: { pathPrefix: / }, jwt: { providers: [{ name: p }] } }] }",
    ],
    [
      "a regular expression with groups that repeat",
      '{ name: b, permissions: [{ action: allow, http: { pathRegex: "/(a|b)+" } }] }',
    ],
    ["an unknown key", "{ name: b, permissions: [{ action: allow, http: { pathPrefix: /, cookies: [] } }] }"],
    [
      "a header that the sidecar withholds",
      "{ name: b, permissions: [{ action: allow, http: { header: [{ name: cookie, present: true }] } }] }",
    ],
    ["a peer", "{ name: b, peer: east, action: allow }"],
  ])("lets nobody in, and is reported: %s", (_title, source) => {
    const { verdict, report } = imported(WEB(source), { workloads: [{ namespace: "default", name: "b", labels: {} }] });
    expect(verdict("default/b", "default/web", "GET /a")).toBe("deny");
    expect(report.summary.narrower + report.summary.unsupported).toBeGreaterThan(0);
  });

  it("denies more, never less, where a denial cannot be said", () => {
    const source =
      '{ name: b, permissions: [{ action: deny, http: { pathRegex: "/(a|b)+" } }, { action: allow, http: { pathPrefix: / } }] }';
    const { verdict, report } = imported(WEB(source));
    expect(verdict("default/b", "default/web", "GET /a")).toBe("deny");
    expect(report.summary.narrower).toBeGreaterThan(0);
  });

  it("closes a destination for all that no source names, where one is all services of a namespace", () => {
    const { verdict } = imported(
      WEB("{ name: '*', namespace: billing, action: allow }, { name: '*', action: allow }"),
      {
        workloads: [{ namespace: "billing", name: "b", labels: {} }],
      },
    );
    expect(verdict("billing/b", "default/web", "GET /a")).toBe("deny");
  });
});

describe("callers of their own beside all others", () => {
  it("keep what they have where the rest is everything but some paths", () => {
    const text = `kind: ServiceIntentions
metadata: { name: web }
spec:
  destination: { name: web }
  sources:
    - { name: api, permissions: [{ action: allow, http: { pathExact: /only } }] }
    - { name: "*", permissions: [{ action: deny, http: { pathPrefix: /admin } }, { action: allow, http: { pathPrefix: / } }] }
`;
    const { verdict } = imported(text, { workloads: [{ namespace: "default", name: "other", labels: {} }] });
    expect(verdict("default/api", "default/web", "GET /only")).toBe("allow");
    expect(verdict("default/api", "default/web", "GET /x")).toBe("deny");
    expect(verdict("default/other", "default/web", "GET /x")).toBe("allow");
    expect(verdict("default/other", "default/web", "GET /administrator")).toBe("deny");
  });
});

describe("what the source itself refuses", () => {
  it.each([
    [
      "an action beside permissions",
      "{ name: b, action: allow, permissions: [{ action: allow, http: {} }] }",
      "`action` stands beside permissions",
    ],
    [
      "two paths",
      "{ name: b, permissions: [{ action: allow, http: { pathExact: /a, pathPrefix: /b } }] }",
      "`pathExact` stands beside another path",
    ],
    ["no action", "{ name: b }", "`action` is neither allow nor deny"],
  ])("is refused with its place: %s", (_title, source, message) => {
    expect(() => imported(WEB(source))).toThrow(new RegExp(`^intentions\\.yaml:3:\\d+: ${message}`));
  });
});

const HCL = `
Kind = "service-intentions"
Name = "web"
# the order counts
Sources = [
  {
    Name = "api"
    Permissions = [
      { Action = "deny", HTTP = { PathPrefix = "/admin" } },
      {
        Action = "allow"
        HTTP {
          PathPrefix = "/"
          Methods    = ["GET"]
          Header = [{ Name = "x-debug", Present = true, Invert = true }]
        }
      },
    ]
  },
  { Name = "batch", Action = "allow" }
]
`;

describe("config entries in HCL", () => {
  it("are read as the others are", () => {
    const { verdict } = imported(HCL);
    expect(verdict("default/api", "default/web", "GET /a")).toBe("allow");
    expect(verdict("default/api", "default/web", "GET /a", { headers: { "x-debug": "1" } })).toBe("deny");
    expect(verdict("default/api", "default/web", "GET /admin/a")).toBe("deny");
    expect(verdict("default/batch", "default/web", "DELETE /admin")).toBe("allow");
  });

  it("say where something is wrong", () => {
    expect(() => imported(HCL.replace('"/admin"', '"/admin", PathExact = "/b"'))).toThrow(/^intentions\.yaml:9:\d+: /);
    expect(() => imported(HCL.replace('  { Name = "batch"', "  { Name = "))).toThrow(/^intentions\.yaml:\d+:\d+: /);
  });
});

describe("tokens", () => {
  const PROVIDER = JSON.stringify({
    Kind: "jwt-provider",
    Name: "okta",
    Issuer: "https://id.example",
    Audiences: ["api"],
    JSONWebKeySet: { Local: { JWKS: Buffer.from('{"keys":[]}').toString("base64") } },
  });
  const intentions = (sources: unknown, more: object = {}) =>
    JSON.stringify({ Kind: "service-intentions", Name: "web", Sources: sources, ...more });
  const asked = { Providers: [{ Name: "okta", VerifyClaims: [{ Path: ["perms", "role"], Value: "admin" }] }] };
  const admin = { claims: { okta: { perms: { role: "admin" } } } };

  it("asked for by a permission, or by the whole entry", () => {
    const permission = { Action: "allow", HTTP: { PathPrefix: "/" }, JWT: asked };
    for (const text of [
      intentions([{ Name: "api", Permissions: [permission] }]),
      intentions([{ Name: "api", Action: "allow" }], { JWT: asked }),
    ]) {
      const { verdict } = imported(`${PROVIDER}\n---\n${text}`);
      expect(verdict("default/api", "default/web", "GET /", admin)).toBe("allow");
      expect(verdict("default/api", "default/web", "GET /", { claims: { okta: { perms: {} } } })).toBe("deny");
      expect(verdict("default/api", "default/web", "GET /")).toBe("deny");
    }
  });

  it("a denial that spares who has a token cannot be said, and denies them all", () => {
    const sources = [
      {
        Name: "api",
        Permissions: [
          { Action: "deny", HTTP: { PathPrefix: "/" }, JWT: asked },
          { Action: "allow", HTTP: { PathPrefix: "/" } },
        ],
      },
    ];
    const { verdict, report } = imported(`${PROVIDER}\n---\n${intentions(sources)}`);
    expect(verdict("default/api", "default/web", "GET /")).toBe("deny");
    expect(report.summary.narrower).toBeGreaterThan(0);
  });

  it("what is compared in another way carries a request that shows it", () => {
    const { verdict, report } = imported(
      `${PROVIDER}\n---\n${intentions([{ Name: "api", Action: "allow" }], { JWT: asked })}`,
    );
    const [wider] = report.entries.filter(({ fidelity }) => fidelity === "wider");
    expect(wider?.scope).toBe("odd-claim");
    const { from = "", to = "", request = "", claims = {} } = wider?.counterExample ?? {};
    expect(verdict(from, to, request, { claims })).toBe("allow");
  });
});
