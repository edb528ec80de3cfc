import { describe, expect, it } from "vitest";
import { attributesOf } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import type { ImportOptions } from "../index.ts";
import { importPolicies } from "../index.ts";

const NOW = new Date("2026-11-24T12:00:00Z");
const OPTIONS: ImportOptions = { callee: "shop/orders", callers: ["shop/web"] };

function imported(text: string, options: ImportOptions = OPTIONS) {
  const result = importPolicies("openapi", [{ path: "api.yaml", text }], options);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const index = compile(set);
  const verdict = (request: string, from = "shop/web"): string =>
    decide(index, attributesOf({ from, to: "shop/orders", request }, set, { now: NOW })).verdict;
  return { ...result, set, verdict };
}

const THREE = `
openapi: 3.0.3
info: { title: Orders, version: "1" }
servers: [{ url: "https://orders.example/{base}", variables: { base: { default: v1 } } }]
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { $ref: "#/components/schemas/Id" } }
  schemas:
    Id: { type: integer, minimum: 1 }
paths:
  /orders:
    get: { tags: [reading] }
    post: { tags: [writing], requestBody: { required: true } }
  /orders/{id}:
    parameters: [{ $ref: "#/components/parameters/Id" }]
    get: { tags: [reading] }
    delete: { tags: [writing], security: [{ key: [] }] }
  /days/{day}/{token}:
    parameters:
      - { name: day, in: path, schema: { type: string, format: date } }
      - { name: token, in: path, schema: { type: string, format: uuid } }
    get: {}
  /files/{name}.{kind}:
    get: { parameters: [{ name: kind, in: path, schema: { type: string } }] }
  /states/{state}:
    get: { parameters: [{ name: state, in: path, schema: { enum: [open, closed] } }] }
  /codes/{code}:
    get: { parameters: [{ name: code, in: path, schema: { type: string, pattern: "^[0-9a-fA-F]+$" } }] }
  /away: { $ref: "other.yaml#/paths/away" }
`;

describe("import of OpenAPI 3", () => {
  const api = imported(THREE);

  it.each([
    ["GET /v1/orders", "allow"],
    ["POST /v1/orders", "allow"],
    ["PUT /v1/orders", "deny"],
    ["GET /orders", "deny"],
    ["GET /v1/orders/42", "allow"],
    ["GET /v1/orders/latest", "deny"],
    ["DELETE /v1/orders/42", "allow"],
    ["GET /v1/days/2026-02-29/0e37df36-f698-11e6-8dd4-cb9ced3df976", "deny"],
    ["GET /v1/days/2026-02-28/0e37df36-f698-11e6-8dd4-cb9ced3df976", "allow"],
    ["GET /v1/states/open", "allow"],
    ["GET /v1/states/other", "deny"],
    ["GET /v1/codes/0aF", "allow"],
    ["GET /v1/codes/xyz", "deny"],
    ["GET /v1/files/report.pdf", "allow"],
  ])("decides %s: %s", (request, verdict) => {
    expect(api.verdict(request)).toBe(verdict);
  });

  it("lets nobody in but the callers that were named", () => {
    expect(api.verdict("GET /v1/orders", "shop/orders")).toBe("deny");
  });

  it("writes one rule a tag and one line for methods that share their path", () => {
    expect(api.documents).toContain("name: reading");
    expect(api.documents).toContain("- GET /v1/orders/{id:int}");
  });

  it("says what it leaves out, and shows what is wider by a request that is allowed", () => {
    const wider = api.report.entries.filter(({ fidelity }) => fidelity === "wider");
    expect(wider.map(({ construct }) => construct)).toEqual([
      "POST /orders: parameters",
      "DELETE /orders/{id}: security",
      "GET /files/{name}.{kind}",
    ]);
    for (const { counterExample } of wider) expect(api.verdict(counterExample?.request ?? "")).toBe("allow");
    expect(api.report.entries.find(({ construct }) => construct === "/away")?.fidelity).toBe("unsupported");
  });
});

describe("import of Swagger 2.0", () => {
  it("reads the base path and parameters that are their own schema", () => {
    const api = imported(`
swagger: "2.0"
info: { title: Pets, version: "1" }
basePath: /api/
paths:
  /pets/{petId}:
    get: { parameters: [{ name: petId, in: path, required: true, type: integer, format: int64 }] }
`);
    expect(api.verdict("GET /api/pets/7")).toBe("allow");
    expect(api.verdict("GET /api/pets/rex")).toBe("deny");
    expect(api.report.entries.map(({ fidelity }) => fidelity)).toContain("narrower");
  });
});

describe("what is no description", () => {
  it("is refused with its place", () => {
    expect(() => imported("kind: Service\n")).toThrow("api.yaml:1:1: this is no OpenAPI description");
  });

  it("is survived where references go round in circles", () => {
    const api = imported('openapi: 3.1.0\ninfo: { title: x }\npaths: { /a: { $ref: "#/paths/~1a" } }\n');
    expect(api.report.summary.unsupported).toBe(1);
  });
});
