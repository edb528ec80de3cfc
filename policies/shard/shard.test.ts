import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import { PolicyError } from "../policy-error.ts";
import { attributes, buildSet, identityOf } from "../testing/build.ts";
import { readShards } from "./read-shards.ts";
import { shardOf } from "./shard-of.ts";

const set = buildSet({
  isolate: ["env"],
  federated: ["partner.example"],
  workloads: {
    orders: { labels: { app: "orders", env: "prod", secret: "s" } },
    web: { labels: { app: "web", env: "prod", secret: "s" } },
    db: { labels: { app: "db", env: "prod", legacy: "yes" } },
    tool: { labels: { app: "tool", env: "dev" } },
  },
  policies: [
    {
      name: "orders",
      protects: "orders",
      allow: [
        {
          from: [{ labels: { app: "web" } }],
          requests: ["GET|HEAD /orders/{id:int}.json", "grpc a/*", "tcp *", "websocket /w/**"],
          headers: { "x-a": { kind: "in", values: ["v"] } },
          notAfter: new Date("2027-01-01T00:00:00.000Z"),
          hosts: ["orders.shop"],
          ports: [8443],
          jwt: { provider: "corp", scopes: ["s"], claims: { g: { kind: "hasAny", values: ["x"] } } },
          except: { from: [{ addresses: ["10.0.0.0/8"] }] },
        },
      ],
      deny: [{ except: { from: [{ anyone: "authenticated" }] } }],
    },
    {
      name: "db",
      protects: "db",
      allow: [{ from: [{ labels: { legacy: { kind: "absent" } } }], requests: ["GET /**"] }],
    },
  ],
});

const json = (destination: string): unknown => JSON.parse(JSON.stringify(shardOf(set, identityOf(destination))));
type Json = Record<string, unknown>;
const changed = (change: (shard: Json) => void): unknown => {
  const shard = json("orders") as Json;
  change(shard);
  return shard;
};
const code = (shards: readonly unknown[]): string => {
  try {
    readShards(shards);
  } catch (error) {
    if (error instanceof PolicyError) return error.code;
    throw error;
  }
  return "none";
};

describe("shardOf", () => {
  it("carries the callers that its rules name, with the labels that they ask for, and hashes of all others", () => {
    const shard = shardOf(set, identityOf("orders"));
    expect(shard).toMatchObject({
      callers: [
        {
          name: "web",
          identity: identityOf("web"),
          labels: [
            ["app", "web"],
            ["env", "prod"],
          ],
        },
      ],
    });
    const text = JSON.stringify(shard);
    for (const hidden of ["tool", "legacy", identityOf("db")]) expect(text).not.toContain(hidden);
    expect(shard).toHaveProperty("unnamedCallers.length", 2);
  });

  it("is the same value whatever the order of policies and workloads", () => {
    const shuffled = { ...set, policies: set.policies.toReversed(), workloads: set.workloads.toReversed() };
    expect(JSON.stringify(shardOf(shuffled, identityOf("db")))).toBe(JSON.stringify(shardOf(set, identityOf("db"))));
  });

  it("refuses a destination that no workload is", () => {
    expect(() => shardOf(set, identityOf("ghost"))).toThrow(PolicyError);
  });
});

describe("readShards", () => {
  it("gives back the destination and its policies, frozen", () => {
    const read = readShards([json("orders")]);
    const [workload, policy] = [read.workloads[0], read.policies[0]];
    expect(workload).toEqual(set.workloads[0]);
    const { labelled, ...rest } = policy ?? {};
    expect(labelled).toEqual([identityOf("web")]);
    expect(rest).toEqual(set.policies[0]);
    for (const value of [read, read.workloads, workload, policy, policy?.allow[0]?.requests?.[0]]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });

  it("never lets a label that another shard does not tell pass for an absent one", () => {
    // `db` has `legacy`, which only its own shard asks for; `orders` tells that `tool` exists and nothing of its labels.
    const web = compile(readShards([json("orders"), json("db")]));
    expect(decide(web, attributes({ from: "web", to: "db" })).reason).toBe("allowed-by-rule");
    const relabelled = buildSet({
      workloads: { orders: {}, db: {}, web: { labels: { app: "web", legacy: "yes" } } },
      policies: [
        { name: "o", protects: "orders", allow: [{ from: [{ labels: { app: "web" } }], requests: ["GET /**"] }] },
        {
          name: "d",
          protects: "db",
          allow: [{ from: [{ labels: { legacy: { kind: "absent" } } }], requests: ["GET /**"] }],
        },
      ],
    });
    const shards = ["orders", "db"].map((name): unknown =>
      JSON.parse(JSON.stringify(shardOf(relabelled, identityOf(name)))),
    );
    const index = compile(readShards(shards));
    expect(decide(index, attributes({ from: "web", to: "orders" })).reason).toBe("allowed-by-rule");
    expect(decide(index, attributes({ from: "web", to: "db" })).reason).toBe("no-rule-matched");
  });

  it.each<[string, (shard: Json) => void]>([
    ["another format", (shard) => put(shard, "format", "cellwall.shard/9")],
    ["an unknown key", (shard) => put(shard, "more", 1)],
    ["no policies", (shard) => void delete shard.policies],
    ["a bad trust domain", (shard) => put(shard.mesh as Json, "trustDomain", "Shop")],
    ["a bad identity", (shard) => put(shard.workload as Json, "identity", "spiffe://shop.example/../x")],
    ["a policy twice", (shard) => void (shard.policies as unknown[]).push((shard.policies as unknown[])[0])],
    ["an allow without from", (shard) => void delete ruleOf(shard, "allow").from],
    ["an allow without requests", (shard) => void delete ruleOf(shard, "allow").requests],
    ["an allow among the denies", (shard) => put(ruleOf(shard, "deny"), "effect", "allow")],
    ["an empty from", (shard) => put(ruleOf(shard, "allow"), "from", [])],
    ["an upper-case header", (shard) => put(ruleOf(shard, "allow"), "headers", [["X-A", { kind: "present" }]])],
    ["an instant that is none", (shard) => put(ruleOf(shard, "allow"), "notAfter", "tomorrow")],
    ["an unknown matcher", (shard) => put(ruleOf(shard, "allow"), "headers", [["x-a", { kind: "regex", value: "." }]])],
    ["two `**`", (shard) => put(ruleOf(shard, "allow"), "requests", [line(["rest", "rest"])])],
    ["a hash of another length", (shard) => put(shard, "unnamedCallers", [{ hash: "ab", isolate: [] }])],
  ])("refuses %s", (_name, change) => {
    expect(code([changed(() => {})])).toBe("none");
    expect(code([changed(change)])).toBe("ERR_POLICY_SHARD");
  });

  it.each([undefined, null, 1, "x", [], {}])("refuses %j", (value) => {
    expect(code([value])).toBe("ERR_POLICY_SHARD");
  });

  it("refuses none at all, the same destination twice, and shards of different sets", () => {
    expect(code([])).toBe("ERR_POLICY_SHARD");
    expect(code([json("orders"), json("orders")])).toBe("ERR_POLICY_SHARDS_DISAGREE");
    const other = changed((shard) => put(shard.mesh as Json, "isolate", []));
    expect(code([json("db"), other])).toBe("ERR_POLICY_SHARDS_DISAGREE");
  });
});

function put(target: Json, key: string, value: unknown): void {
  target[key] = value;
}

function ruleOf(shard: Json, effect: "allow" | "deny"): Json {
  const [policy] = shard.policies as Json[];
  const [rule] = (policy?.[effect] ?? []) as Json[];
  if (rule === undefined) throw new TypeError("no such rule");
  return rule;
}

function line(kinds: readonly string[]): Json {
  const span = ["f", 1, 1, 1, 1];
  return {
    kind: "http",
    methods: "ANY",
    path: { text: "/x", segments: kinds.map((kind) => ({ kind })) },
    text: "ANY /x",
    span,
  };
}
