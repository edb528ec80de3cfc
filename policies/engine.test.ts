import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile, decide, explain, parseDocuments, readShards, resolve, shardOf } from "./index.ts";
import { attributes, type RequestInput } from "./testing/build.ts";

const files = ["mesh", "workloads", "access"].map((name) => {
  const path = `compose/shop/policies/${name}.yaml`;
  return { path, text: readFileSync(new URL(`../${path}`, import.meta.url), "utf8") };
});

describe("the shop's policies, from text to decision", () => {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const orders = "spiffe://shop.example/shop/orders";
  const indexes = [compile(set), compile(readShards([JSON.parse(JSON.stringify(shardOf(set, orders)))]))];

  it.each<[string, RequestInput, string]>([
    [
      "GET /orders/42 by web",
      { from: "web", path: "/orders/42" },
      "shop/orders/web-reads-orders#GET|HEAD /orders/{id:int}",
    ],
    ["GET /orders/x by web", { from: "web", path: "/orders/x" }, "no-rule-matched"],
    ["GET /orders/42 by intruder", { from: "intruder", path: "/orders/42" }, "no-rule-matched"],
    ["GET /admin by web", { from: "web", path: "/admin" }, "shop/orders/only-platform-administers#ANY /admin/**"],
    ["GET /orders/../admin by web", { from: "web", path: "/orders/../admin" }, "ambiguous-path"],
  ])("%s", (_name, request, expected) => {
    for (const index of indexes) {
      const decision = decide(index, attributes({ to: orders, ...request }));
      expect(decision.line ?? decision.reason).toBe(expected);
    }
  });

  it("are explained with the place of the line", () => {
    const { deciding } = explain(set, attributes({ to: orders, from: "web", path: "/orders/42" }));
    expect(deciding?.span.file).toBe("compose/shop/policies/access.yaml");
    expect(deciding?.span.line).toBeGreaterThan(1);
  });
});
