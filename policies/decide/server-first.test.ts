import { describe, expect, it } from "vitest";
import { buildSet, identityOf, type PolicyInput, type SetInput } from "../testing/build.ts";
import { serverFirstCallers } from "./server-first.ts";

const callers = (policy: PolicyInput, more: Partial<SetInput> = {}): readonly string[] => {
  const set = buildSet({
    ...more,
    workloads: { db: {}, orders: {}, web: {}, ...more.workloads },
    policies: [{ protects: "db", ...policy }],
  });
  return serverFirstCallers(set, identityOf("db"), 5432);
};
const from = [{ workload: "orders" }];

describe("serverFirstCallers", () => {
  it("are those that a tcp line of that port names, less those that a deny names", () => {
    expect(callers({ allow: [{ from, requests: ["tcp 5432"] }] })).toEqual([identityOf("orders")]);
    expect(callers({ allow: [{ from, requests: ["tcp 5433", "GET /**"] }] })).toEqual([]);
    const all = [{ from: [{ anyone: "authenticated" as const }], requests: ["tcp *"] }];
    expect(callers({ allow: all, deny: [{ from }] })).toEqual([identityOf("db"), identityOf("web")]);
  });

  it("include identities of federated trust domains that are named one by one", () => {
    const federated = ["partner.example"];
    const one = { spiffe: "spiffe://partner.example/a" };
    const many = { spiffe: "spiffe://partner.example/b/**" };
    expect(callers({ allow: [{ from: [one, many], requests: ["tcp *"] }] }, { federated })).toEqual([
      "spiffe://partner.example/a",
    ]);
    expect(callers({ allow: [{ from: [one], requests: ["tcp *"] }] })).toEqual([]);
  });

  it("are never admitted by a rule that asks for more, nor spared by a deny that does", () => {
    const late = { notBefore: new Date(0) };
    expect(callers({ allow: [{ from, requests: ["tcp *"], ...late }] })).toEqual([]);
    expect(
      callers({ allow: [{ from: [{ workload: "orders", addresses: ["10.0.0.0/8"] }], requests: ["tcp *"] }] }),
    ).toEqual([]);
    expect(callers({ allow: [{ from, requests: ["tcp *"], headers: { a: { kind: "absent" } } }] })).toEqual([]);
    expect(
      callers({ allow: [{ from, requests: ["tcp *"] }], deny: [{ from, notBefore: new Date("2100-01-01") }] }),
    ).toEqual([]);
  });

  it("are kept apart by isolation, and all admitted to a workload in monitor", () => {
    const allow = [{ from, requests: ["tcp *"] }];
    expect(callers({ allow }, { isolate: ["env"] })).toEqual([]);
    const monitored = callers({ allow }, { workloads: { db: { mode: "monitor" } } });
    expect(monitored).toEqual(["db", "orders", "web"].map((name) => identityOf(name)));
  });
});
