import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { KINDS } from "../syntax/document.ts";
import { jsonSchemaOf, schemaFiles } from "./json-schema.ts";

const folder = new URL("../../docs/schema/", import.meta.url);

/** The schema of AccessPolicy, in the hands of a validator that knows nothing of the parser. */
const validator = z.fromJSONSchema(JSON.parse(JSON.stringify(jsonSchemaOf("AccessPolicy"))));

const policy = (rule: unknown): unknown => ({
  apiVersion: "cellwall.dev/v1",
  kind: "AccessPolicy",
  metadata: { name: "orders", namespace: "shop" },
  spec: { protects: { workload: "orders" }, allow: [rule] },
});

describe("JSON Schemas", () => {
  it("stand in docs/schema as the parser's readers describe them", () => {
    if (process.env.UPDATE_GOLDEN === "1") {
      mkdirSync(folder, { recursive: true });
      for (const [name, text] of schemaFiles()) writeFileSync(new URL(name, folder), text); // then format them
    }
    expect(readdirSync(folder).sort()).toEqual([...schemaFiles().keys()].sort());
    for (const [name, text] of schemaFiles()) {
      expect(JSON.parse(readFileSync(new URL(name, folder), "utf8")), name).toEqual(JSON.parse(text));
    }
  });

  it("are there for every kind", () => {
    expect(schemaFiles().size).toBe(KINDS.length + 1);
  });

  it("take a rule that the parser takes", () => {
    const rule = {
      name: "r",
      from: [{ labels: { app: { in: ["web"] } } }],
      requests: ["GET /a/{id:int}"],
      headers: { "x-a": { prefix: "b" } },
    };
    expect(validator.safeParse(policy(rule)).error).toBeUndefined();
  });

  it.each([
    ["an unknown key", { name: "r", from: [{ workload: "web" }], requests: ["GET /a"], fron: 1 }],
    ["a missing key", { name: "r", from: [{ workload: "web" }] }],
    ["an empty list", { name: "r", from: [], requests: ["GET /a"] }],
    ["an empty map", { name: "r", from: [{ workload: "web" }], requests: ["GET /a"], headers: {} }],
    ["a number for a text", { name: "r", from: [{ labels: { version: 1 } }], requests: ["GET /a"] }],
    ["a request without a method", { name: "r", from: [{ workload: "web" }], requests: ["/a"] }],
    [
      "two tests in one matcher",
      { name: "r", from: [{ workload: "web" }], requests: ["GET /a"], headers: { a: { prefix: "a", suffix: "b" } } },
    ],
  ])("refuse %s", (_, rule) => {
    expect(validator.safeParse(policy(rule)).success).toBe(false);
  });
});
