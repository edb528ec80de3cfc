import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { makeOfflineRoot, signRequest } from "../../ca/index.ts";
import { freshKey, requestText } from "../../ca/testing/certificate-request.ts";
import { apiError, rotateRequest } from "../../protocol/index.ts";
import { certificatesFromPem, certificatesToPem } from "../../spiffe/index.ts";
import { type ClientIdentity, GOOD_SET, type Harness, openHarness } from "../testing/harness.ts";
import { startTokenIssuer, type TokenIssuer } from "../testing/token-issuer.ts";
import type { Route } from "./route.ts";

const attestedNode = (issuer: string) => ({
  path: "node.yaml",
  text: `apiVersion: cellwall.dev/v1
kind: Node
metadata: { name: ci-1 }
spec: { attest: [{ oidc: { issuer: "${issuer}", audience: cellwall, claims: { sub: ci } } }] }
`,
});

describe("the OpenAPI document", () => {
  let issuer: TokenIssuer;
  let harness: Harness;
  let agent: ClientIdentity;
  let document: Document;
  beforeAll(async () => {
    issuer = await startTokenIssuer();
    harness = await openHarness({ fetch: issuer.fetch });
    await harness.authority.publish([...GOOD_SET, attestedNode(issuer.url)], "test");
    agent = await harness.enrol("host-1");
    document = (await harness.admin("get", "/v1/openapi.json")).body;
  });
  afterAll(async () => {
    await harness.close();
    await issuer.close();
  });

  it("is OpenAPI 3.1 with the version that serves it", () => {
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "0.0.0-test" } });
  });

  it("lists exactly the routes that the server has", () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(documented.sort()).toEqual(served(harness).sort());
  });

  it("gives each operation an id of its own, and refers to schemas that are there", () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map((each) => each.operationId)).size).toBe(operations.length);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(references.length).toBeGreaterThan(20);
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it("says who may call what", () => {
    expect(document.paths["/v1/policies"]?.post?.security).toEqual([{ admin: [] }, { publisher: [] }]);
    expect(document.paths["/v1/status"]?.get?.security).toEqual([{ admin: [] }]);
    expect(document.paths["/v1/svids"]?.post?.security).toEqual([{ agent: [] }]);
    expect(document.paths["/v1/enrol"]?.post?.security).toEqual([]);
  });

  it("documents what every route answers: 200 in its schema to whom it is for", async () => {
    const bodies = await requestBodies(harness, issuer);
    for (const route of harness.authority.routes) {
      const name = `${route.method} ${route.path}`;
      const path = route.path.replace("{sha256}", Object.values(harness.ca.bundle()?.manifest.shards ?? {})[0] ?? "");
      const request =
        route.access === "admin" || route.access === "publisher"
          ? harness.admin(route.method, path)
          : harness.call(route.method, path, agent);
      const answer = await (route.method === "post" ? request.send(bodies.get(route.path) ?? {}) : request);
      expect([name, answer.status], answer.text).toEqual([name, 200]);
      expect(Object.keys(operationOf(document, route).responses)).toContain("200");
      if (route.response.kind === "json") expectShape(route.response.schema, answer.body, name);
      else if (route.response.kind === "text") expect(answer.headers["content-type"]).toBe(route.response.contentType);
    }
  });

  it("documents the refusals too: a status that it does not list is not answered", async () => {
    for (const route of harness.authority.routes) {
      const path = route.path.replace("{sha256}", "0".repeat(64));
      const attempts = [
        harness.call(route.method, path),
        harness.call(route.method, path, agent).set("Origin", "https://evil.example"),
        harness
          .call(route.method, path, agent)
          .type("text/plain")
          .send(route.method === "post" ? "x" : undefined),
        harness
          .admin(route.method, path)
          .type("application/json")
          .send(route.method === "post" ? "{" : undefined),
      ];
      for (const attempt of attempts) {
        const answer = await attempt;
        expect(Object.keys(operationOf(document, route).responses), `${route.method} ${path}`).toContain(
          String(answer.status),
        );
        if (answer.status >= 400) apiError.parse(answer.body);
      }
    }
  });

  it("publishes the limits that are checked: request schemas come from the same source", () => {
    const schema: unknown = document.components.schemas.SvidsRequest;
    expect(schema).toMatchObject({
      properties: { requests: { minItems: 1, maxItems: 1000 } },
      additionalProperties: false,
    });
  });
});

/** A root that is kept elsewhere, and an intermediate that it has signed. */
async function signedElsewhere({ ca }: Harness): Promise<{ readonly root: string; readonly chain: string }> {
  const parts = { trustDomain: ca.trustDomain, clock: () => new Date(), random: randomBytes };
  const root = makeOfflineRoot(parts, 365);
  const [certificate] = certificatesFromPem(root.certificate);
  if (certificate === undefined) throw new Error("no root");
  const [, body = ""] = (await ca.request()).split("-----BEGIN CERTIFICATE REQUEST-----");
  const request = Buffer.from(body.replace(/-----END.*/, ""), "base64");
  const signed = signRequest(parts, { certificate, key: root.key }, request, 90);
  return { root: root.certificate, chain: certificatesToPem([signed]) };
}

interface Operation {
  readonly operationId: string;
  readonly security: unknown;
  readonly responses: Record<string, unknown>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

function operationOf(document: Document, route: Route): Operation {
  const operation = document.paths[route.path]?.[route.method];
  if (operation === undefined) throw new Error(`${route.method} ${route.path} is not documented`);
  return operation;
}

function expectShape(schema: z.ZodType, body: unknown, name: string): void {
  const read = schema.safeParse(body);
  expect([name, read.error?.issues]).toEqual([name, undefined]);
}

/** The routes as express itself knows them. */
function served(harness: Harness): string[] {
  const { stack } = harness.authority.app.router;
  return stack.flatMap(({ route }) => {
    if (route === undefined) return [];
    const methods = new Set(route.stack.map((layer) => layer.method).filter((method) => method !== undefined));
    // What refuses the other methods is mounted for every method there is.
    if (methods.size > 5) return [];
    const path = String(route.path).replaceAll(/:([A-Za-z0-9]+)/g, "{$1}");
    return [...methods].map((method) => `${method} ${path}`);
  });
}

async function requestBodies(harness: Harness, issuer: TokenIssuer): Promise<ReadonlyMap<string, unknown>> {
  const { token } = await harness.ca.createJoinToken("host-2");
  const csr = requestText({ key: freshKey() });
  // Something lies prepared, and waits for host-1.
  await harness.ca.issueSvids("host-1", { requests: [{ identity: "spiffe://shop.example/shop/web", csr }] });
  await harness.ca.rotate(rotateRequest.parse({ what: "intermediate" }));
  return new Map<string, unknown>([
    ["/v1/enrol", { token, csr }],
    ["/v1/renew", { csr }],
    ["/v1/svids", { requests: [{ identity: "spiffe://shop.example/shop/web", csr }] }],
    ["/v1/jwt-svids", { requests: [{ identity: "spiffe://shop.example/shop/web", audience: ["orders"] }] }],
    ["/v1/node/status", { epoch: 1, revision: 1, revocations: 0 }],
    ["/v1/node/probe", { csr }],
    ["/v1/ca/rotations", { what: "jwt" }],
    ["/v1/ca/imports", await signedElsewhere(harness)],
    ["/v1/attest", { token: await issuer.token(), csr }],
    ["/v1/policies", { files: [...GOOD_SET, attestedNode(issuer.url)] }],
    ["/v1/revocations", { identity: "spiffe://shop.example/shop/orders", reason: "test" }],
    ["/v1/join-tokens", { node: "host-2" }],
  ]);
}
