import { describe, expect, it } from "vitest";
import { exactShare, type ImportCase, isHonest, judge, table } from "./import-case.ts";
import { rows } from "./rows.ts";

interface Row {
  readonly id: string;
  readonly input: {
    readonly default: "allow" | "deny";
    readonly intentions: readonly { readonly destination: string; readonly sources: readonly unknown[] }[];
    readonly request: {
      readonly source: string;
      readonly destination: string;
      readonly protocol?: "http" | "tcp";
      readonly method?: string;
      readonly path?: string;
      readonly headers?: Readonly<Record<string, readonly string[]>>;
    };
  };
  readonly expected: "allow" | "deny";
}

const identity = (name: string): string => `spiffe://cluster.local/ns/default/dc/dc1/svc/${name}`;

function caseOf({ id, input, expected }: Row): ImportCase {
  const { source, destination, protocol = "http", method = "GET", path = "/", headers = {} } = input.request;
  const repeated = Object.values(headers).some(
    (values) => values.length > 1 || values.some((value) => value.includes(",")),
  );
  return {
    id,
    format: "consul",
    documents: input.intentions.map((intention) => ({
      apiVersion: "consul.hashicorp.com/v1alpha1",
      kind: "ServiceIntentions",
      metadata: { name: intention.destination === "*" ? "any" : intention.destination },
      spec: { destination: { name: intention.destination }, sources: intention.sources },
    })),
    options: {
      defaultAction: input.default,
      workloads: [source, destination].map((name) => ({
        namespace: "default",
        name,
        labels: {},
        identity: identity(name),
      })),
    },
    request: {
      from: `default/${source}`,
      to: `default/${destination}`,
      request: protocol === "tcp" ? "tcp 5432" : `${method} ${path}`,
      headers,
    },
    scopes: repeated ? ["list-header"] : [],
    expected,
  };
}

describe("service intentions of Consul", () => {
  const judged = rows<Row>("consul/intentions.jsonl").map((row) => judge(caseOf(row)));

  it.each(judged.map((one) => [one.id, one] as const))("%s: the report's claim holds", (_id, one) => {
    expect({ ...one, honest: isHonest(one) }).toEqual({ ...one, honest: true });
  });

  it("calls at least 95 % of the cases exact", () => {
    process.stdout.write(`${table("consul", judged)}\n`);
    expect(exactShare(judged)).toBeGreaterThanOrEqual(0.95);
  });
});
