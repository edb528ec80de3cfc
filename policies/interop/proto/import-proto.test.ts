import { describe, expect, it } from "vitest";
import { attributesOf } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import { importPolicies } from "../index.ts";

const PROTO = `
syntax = "proto3";
package shop.v1; // package wrong.v1;
/* service Hidden { rpc Nothing (A) returns (B); } */
import "google/api/annotations.proto";
message A { message service { string rpc = 1; } oneof x { string s = 2; } }
service Orders {
  option deprecated = true;
  rpc GetOrder (A) returns (stream A) {
    option (google.api.http) = { get: "/v1/{name=orders/*}" additional_bindings { get: "}" } };
  }
  rpc
    Watch(stream A) returns (stream A); // rpc Ghost (A) returns (A);
  rpc Note (A) returns (A) { option (doc) = "rpc Fake (A) \\" }"; }
}
service Health { rpc Check(A) returns (A) {} }
`;

function imported(text: string) {
  const result = importPolicies("proto", [{ path: "a.proto", text }], { callee: "shop/orders", callers: ["shop/web"] });
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return { ...result, set };
}

const lines = (text: string): readonly string[] => imported(text).documents.match(/grpc \S+/g) ?? [];

describe("import of .proto services", () => {
  it("names every method of every service, and nothing that is in comments, texts or options", () => {
    expect(lines(PROTO)).toEqual([
      "grpc shop.v1.Orders/GetOrder",
      "grpc shop.v1.Orders/Watch",
      "grpc shop.v1.Orders/Note",
      "grpc shop.v1.Health/Check",
    ]);
  });

  it("lets the callers in that were named, to those methods alone", () => {
    const { set } = imported(PROTO);
    const verdict = (request: string, from: string): string =>
      decide(compile(set), attributesOf({ from, to: "shop/orders", request }, set, { now: new Date(0) })).verdict;
    expect(verdict("grpc shop.v1.Orders/Watch", "shop/web")).toBe("allow");
    expect(verdict("grpc shop.v1.Orders/Ghost", "shop/web")).toBe("deny");
    expect(verdict("POST /shop.v1.Orders/Watch", "shop/web")).toBe("deny");
    expect(verdict("grpc shop.v1.Orders/Watch", "shop/orders")).toBe("deny");
  });

  it("reads a file without a package", () => {
    expect(lines("service A { rpc B (C) returns (D); }")).toEqual(["grpc A/B"]);
  });

  it("gives the place of every method", () => {
    const { report } = imported(PROTO);
    expect(report.entries.find(({ construct }) => construct.endsWith("/Watch"))?.place).toMatchObject({
      line: 13,
      column: 5,
    });
  });

  it.each([
    ["service A { rpc B (C) returns (D);", "a.proto:1:1: this service does not end"],
    ["/* service A {", "a.proto:1:1: this comment does not end"],
    ['option x = "a\n";', "a.proto:1:12: this text in quotes does not end"],
  ])("refuses %j with its place", (text, message) => {
    expect(() => imported(text)).toThrow(message);
  });

  it("says where there is nothing to import", () => {
    expect(imported("message A {}").report.summary.unsupported).toBe(1);
  });

  it("takes time in proportion to the text", () => {
    const many = `service A { ${"rpc B (C) returns (D) { option (x) = { y: 1 }; } ".repeat(20_000)} }`;
    const before = performance.now();
    expect(imported(many).report.summary.exact).toBeGreaterThan(0);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
