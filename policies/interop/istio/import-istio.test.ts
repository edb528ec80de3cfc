import { describe, expect, it } from "vitest";
import type { WitnessRequest } from "../../findings/finding.ts";
import { attributesOf } from "../../findings/index.ts";
import { compile, type Decision, decide, parseDocuments, resolve } from "../../index.ts";
import { type ImportOptions, type ImportResult, importPolicies } from "../index.ts";

const WORKLOADS: ImportOptions = {
  workloads: [
    { namespace: "foo", name: "httpbin", labels: { app: "httpbin" } },
    { namespace: "foo", name: "reviews", labels: { app: "reviews" } },
    { namespace: "bar", name: "sleep", labels: {} },
  ],
};

const AUTHENTICATION = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
    - issuer: https://id.example
      audiences: [api]
      jwksUri: https://id.example/keys
`;

function imported(text: string, options: ImportOptions = WORKLOADS): ImportResult {
  return importPolicies("istio", [{ path: "authz.yaml", text }], options);
}

function decided({ documents }: ImportResult, request: Omit<WitnessRequest, "from">): Decision {
  const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  return decide(compile(set), attributesOf({ from: "bar/sleep", ...request }, set, { now: new Date() }));
}

const policy = (spec: string, annotations = ""): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: foo${annotations} }
spec: ${spec}
`;

const REQUIRE = policy(
  '{ selector: { matchLabels: { app: httpbin } }, action: ALLOW, rules: [{ from: [{ source: { requestPrincipals: ["https://id.example/*"] } }], when: [{ key: "request.auth.claims[groups]", values: [group1] }] }] }',
);

describe("Istio's RequestAuthentications", () => {
  it("become token providers, and tests of tokens conditions on them", () => {
    const result = imported(AUTHENTICATION + REQUIRE);
    expect(result.documents).toContain("url: https://id.example/keys");
    const to = { to: "foo/httpbin", request: "GET /headers" };
    const token = (groups: readonly string[]) => ({ claims: { "id-example": { sub: "a", groups } } });
    expect(decided(result, { ...to, ...token(["group0", "group1"]) }).verdict).toBe("allow");
    expect(decided(result, { ...to, ...token(["group2"]) }).verdict).toBe("deny");
    expect(decided(result, to).verdict).toBe("deny");
    expect(result.report.entries.filter(({ scope, fidelity }) => scope === undefined && fidelity !== "exact")).toEqual(
      [],
    );
  });

  it("a deny of requests without a token spares those with one", () => {
    const spec =
      '{ action: DENY, selector: { matchLabels: { app: httpbin } }, rules: [{ from: [{ source: { notRequestPrincipals: ["*"] } }] }] }';
    const result = imported(AUTHENTICATION + policy(spec));
    const to = { to: "foo/httpbin", request: "GET /headers" };
    expect(decided(result, to).reason).toBe("denied-by-rule");
    expect(decided(result, { ...to, claims: { "id-example": { sub: "a" } } }).verdict).toBe("allow");
    expect(decided(result, { to: "foo/reviews", request: "GET /" }).verdict).toBe("allow");
  });

  it("a token that fails to verify is refused by the source, which is shown where it matters", () => {
    const open = policy(
      "{ selector: { matchLabels: { app: httpbin } }, rules: [{ to: [{ operation: { paths: [/public] } }] }] }",
    );
    const [wider] = imported(AUTHENTICATION + open).report.entries.filter(({ scope }) => scope === "invalid-token");
    expect(wider).toMatchObject({
      fidelity: "wider",
      counterExample: { headers: { authorization: "Bearer expired" } },
    });
    expect(
      imported(AUTHENTICATION + REQUIRE, { workloads: WORKLOADS.workloads?.slice(0, 1) ?? [] }).report.summary.wider,
    ).toBe(0);
  });

  it.each([
    [{ registry: "exists" as const }, AUTHENTICATION, "the Mesh has no token provider of this issuer"],
    [{}, AUTHENTICATION.replace("      audiences: [api]\n", ""), "it takes tokens for any audience"],
    [{}, AUTHENTICATION.replace("https://id.example/keys", "http://id.example/keys"), "fetched over https only"],
    [{}, `${AUTHENTICATION}      fromHeaders: [{ name: x-token }]\n`, "not of the places that it names"],
  ])("what a token provider cannot be is unsupported: %j", (options, authentication, reason) => {
    const { report } = imported(authentication + REQUIRE, { ...WORKLOADS, ...options });
    const found = report.entries.filter(({ fidelity }) => fidelity === "unsupported").map((entry) => entry.reason);
    expect(found[0]).toContain(reason);
    expect(found[1]).toContain("the rule is left out");
  });
});

describe("Istio's targets", () => {
  const spec =
    "{ targetRefs: [{ kind: Service, name: reviews }], rules: [{ to: [{ operation: { methods: [GET] } }] }] }";
  const service =
    "---\nkind: Service\nmetadata: { name: reviews, namespace: foo }\nspec: { selector: { app: reviews } }\n";

  it("a Service is the workloads that it leads to", () => {
    const result = imported(policy(spec) + service);
    expect(decided(result, { to: "foo/reviews", request: "POST /" }).verdict).toBe("deny");
    expect(decided(result, { to: "foo/reviews", request: "GET /" }).verdict).toBe("allow");
    expect(decided(result, { to: "foo/httpbin", request: "POST /" }).verdict).toBe("allow");
  });

  it("without it, an allow is left out and its whole namespace closed", () => {
    const result = imported(policy(spec));
    expect(result.report.summary.unsupported).toBe(1);
    expect(decided(result, { to: "foo/httpbin", request: "GET /" }).verdict).toBe("deny");
  });

  it("exclude a selector", () => {
    expect(() => imported(policy(spec.replace("{ ", "{ selector: {}, ")))).toThrow("exclude each other");
  });
});

describe("Istio's dry runs", () => {
  const spec = "{ selector: { matchLabels: { app: httpbin } }, rules: [{ to: [{ operation: { paths: [/allow] } }] }] }";

  it("are candidates: the verdict stays, and what it would be is recorded", () => {
    const result = imported(policy(spec, ', annotations: { istio.io/dry-run: "true" }'));
    const other = decided(result, { to: "foo/httpbin", request: "GET /other" });
    expect([other.verdict, other.candidate?.verdict]).toEqual(["allow", "deny"]);
    const one = decided(result, { to: "foo/httpbin", request: "GET /allow" });
    expect([one.verdict, one.candidate?.verdict]).toEqual(["allow", "allow"]);
    expect(decided(result, { to: "foo/reviews", request: "GET /other" }).candidate?.verdict ?? "allow").toBe("allow");
  });
});
