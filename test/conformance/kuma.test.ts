import { describe, expect, it } from "vitest";
import type { RequestScope } from "../../policies/interop/index.ts";
import { exactShare, type ImportCase, isHonest, judge, table } from "./import-case.ts";
import { rows } from "./rows.ts";

interface Row {
  readonly id: string;
  readonly input: {
    readonly policies: readonly unknown[];
    readonly request: { readonly spiffeID: string | null; readonly sni: string | null };
  };
  readonly expected: "allow" | "deny";
  readonly expected_shadow?: "allow" | "deny";
}

/** The mesh's trust domain is the first that its policies name; others that a caller comes from are federated. */
function caseOf({ id, input, expected }: Row): ImportCase {
  const { spiffeID } = input.request;
  const domainOf = (text: string): string | undefined => /spiffe:\/\/([a-z0-9.-]+)/.exec(text)?.[1];
  const caller = domainOf(spiffeID ?? "");
  const own = domainOf(JSON.stringify(input.policies)) ?? caller ?? "mesh";
  const isForeign = caller !== undefined && caller !== own;
  const scopes: readonly RequestScope[] = isForeign ? ["foreign"] : [];
  const registered =
    spiffeID === null || isForeign ? [] : [{ namespace: "default", name: "caller", labels: {}, identity: spiffeID }];
  return {
    id,
    format: "kuma",
    documents: input.policies,
    options: {
      trustDomain: own,
      federation: isForeign ? [caller] : [],
      workloads: [
        { namespace: "default", name: "callee", labels: {}, identity: `spiffe://${own}/callee` },
        ...registered,
      ],
    },
    request: { from: spiffeID ?? "anonymous", to: "default/callee", request: "GET /" },
    scopes,
    expected,
  };
}

describe("MeshTrafficPermissions of Kuma", () => {
  const all = rows<Row>("kuma/mesh-traffic-permission.jsonl");
  const withoutSni = all
    .filter(({ input }) => !JSON.stringify(input.policies).includes('"sni"'))
    .map((row) => judge(caseOf(row)));
  const withSni = all
    .filter(({ input }) => JSON.stringify(input.policies).includes('"sni"'))
    .map((row) => judge(caseOf(row)));

  it.each([...withoutSni, ...withSni].map((one) => [one.id, one] as const))(
    "%s: the report's claim holds",
    (_id, one) => {
      expect({ ...one, honest: isHonest(one) }).toEqual({ ...one, honest: true });
    },
  );

  it.each(
    all.filter(({ input }) => !JSON.stringify(input.policies).includes('"sni"')).map((row) => [row.id, row] as const),
  )("%s: candidates would decide what the source's shadow does", (_id, row) => {
    const { claim, rehearsed } = judge(caseOf(row));
    if (claim === "exact") expect(rehearsed).toBe(row.expected_shadow ?? row.expected);
  });

  it("calls at least 90 % of the cases without SNI exact", () => {
    process.stdout.write(`${table("kuma", withoutSni)}\n${table("kuma with SNI", withSni)}\n`);
    expect(exactShare(withoutSni)).toBeGreaterThanOrEqual(0.9);
    expect(exactShare(withSni)).toBe(0);
  });
});
