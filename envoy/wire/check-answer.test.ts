import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, type Outcome, REASON_CODES } from "../../policies/index.ts";
import { CheckResponse } from "../gen/envoy/service/auth/v3/external_auth.ts";
import { checkResponseBytes } from "./check-answer.ts";

const OUTCOMES: readonly Outcome[] = ["allowed", "forbidden", "unauthenticated", "unavailable"];

const denial: Decision = {
  id: "d-1",
  verdict: "deny",
  evaluated: "deny",
  mode: "enforce",
  phase: "default",
  outcome: "forbidden",
  reason: "no-rule-matched",
  epoch: 1,
  revision: 2,
  destination: "spiffe://cell.test/shop/orders",
  tookMicros: 1,
};

const sent = (decision: Decision) => CheckResponse.decode(checkResponseBytes(decision));

describe("a denial", () => {
  it.each([
    ["forbidden", 403, 7, "denied, decision-id d-1"],
    ["unauthenticated", 401, 16, "denied, decision-id d-1"],
    ["unavailable", 503, 14, "unavailable, decision-id d-1"],
  ] as const)("of outcome %s is HTTP %i and gRPC %i", (outcome, httpStatus, grpcStatus, body) => {
    const answer = sent({ ...denial, outcome });
    expect(answer.status?.code).toBe(grpcStatus);
    expect(answer.httpResponse).toMatchObject({
      $case: "deniedResponse",
      value: { status: { code: httpStatus }, body },
    });
  });

  it("has an explicit status that is no success, whatever its reason, outcome, phase and id", () => {
    const decisions = fc.record({
      ...Object.fromEntries(Object.entries(denial).map(([key, value]) => [key, fc.constant(value)])),
      id: fc.string(),
      reason: fc.constantFrom(...REASON_CODES),
      outcome: fc.constantFrom(...OUTCOMES),
      phase: fc.constantFrom("intake", "deny", "allow", "default", "failure"),
      verdict: fc.constant("deny"),
      evaluated: fc.constantFrom("allow", "deny"),
    }) as unknown as fc.Arbitrary<Decision>;
    fc.assert(
      fc.property(decisions, (decision) => {
        const answer = sent(decision);
        expect([7, 14, 16]).toContain(answer.status?.code);
        if (answer.httpResponse?.$case !== "deniedResponse") throw new Error("not a denial");
        expect([401, 403, 503]).toContain(answer.httpResponse.value.status?.code);
      }),
      { numRuns: 2000 },
    );
  });

  it("is what a verdict or an outcome from outside the types becomes", () => {
    for (const odd of [{ verdict: "ALLOW" }, { verdict: undefined }, { verdict: true }, { outcome: "constructor" }]) {
      const decision = { ...denial, ...odd } as unknown as Decision;
      expect(sent(decision).status?.code).toBeGreaterThan(0);
      expect(sent(decision).httpResponse?.$case).toBe("deniedResponse");
    }
  });

  it("tells the client its id and one word, nothing of rules", () => {
    const line = "shop/orders/web-reads#GET /orders/{id}";
    const full = {
      ...denial,
      line,
      rule: "web-reads",
      policy: "shop/orders",
      detail: "x-tenant differs",
      reason: "denied-by-rule",
    } as const;
    const { httpResponse } = sent(full);
    if (httpResponse?.$case !== "deniedResponse") throw new Error("not a denial");
    const told = JSON.stringify(httpResponse.value);
    for (const secret of ["web-reads", "orders", "tenant", "denied-by-rule", "spiffe"])
      expect(told).not.toContain(secret);
    expect(httpResponse.value.headers.map((option) => option.header?.key)).toEqual(["x-cellwall-decision"]);
  });

  it("for want of a token names the scheme", () => {
    const { httpResponse } = sent({ ...denial, outcome: "unauthenticated" });
    expect(JSON.stringify(httpResponse)).toContain('"www-authenticate","value":"Bearer"');
  });
});

describe("an allow", () => {
  const allow: Decision = {
    ...denial,
    verdict: "allow",
    evaluated: "allow",
    outcome: "allowed",
    reason: "allowed-by-rule",
  };

  it("has status OK and overwrites the decision header on its way to the app", () => {
    const answer = sent(allow);
    expect(answer.status?.code).toBe(0);
    if (answer.httpResponse?.$case !== "okResponse") throw new Error("not an allow");
    const [header, ...rest] = answer.httpResponse.value.headers;
    expect(header).toMatchObject({
      header: { key: "x-cellwall-decision", value: "d-1" },
      append: undefined,
      appendAction: 2,
    });
    expect(rest).toEqual([]);
    expect(answer.httpResponse.value.queryParametersToSet).toEqual([]);
  });

  it("of a workload in monitor tells the access log what would have been", () => {
    const relaxed = sent({ ...denial, verdict: "allow", mode: "monitor" });
    expect(relaxed.status?.code).toBe(0);
    expect(relaxed.dynamicMetadata).toEqual({ decision: "d-1", reason: "no-rule-matched", evaluated: "deny" });
  });
});

describe("the decision id", () => {
  it("is left out where it could not stand in a header", () => {
    for (const id of ["a\r\nset-cookie: x", "", "\u00e9", "x".repeat(129)]) {
      const told = JSON.stringify(sent({ ...denial, id }).httpResponse);
      expect(told).toContain('"value":"unknown"');
      expect(told).not.toContain("set-cookie");
    }
  });
});
