import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keySet } from "../../authority/outward/documents.ts";
import { GOOD_SET, type Harness, openHarness } from "../../authority/testing/harness.ts";
import { locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/binary/index.ts";
import { renderSidecar } from "../../envoy/config/index.ts";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { jwtSvidsResponse } from "../../protocol/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { freePorts } from "../support/free-ports.ts";
import { until } from "../support/until.ts";
import { startTestAgent, type TestAgent } from "./agent.ts";
import { startHttpApp, type TestApp } from "./app.ts";
import { ask } from "./clients.ts";

// A JWT-SVID of a real authority, in the hands of Envoy's `jwt_authn` with the authority's OIDC key set.

const ISSUER = "https://id.shop.example";
const WEB = "spiffe://shop.example/shop/web";
const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
let port = 0;
let harness: Harness;
let agent: TestAgent;
let app: TestApp;
let envoy: RunningEnvoy;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  harness = await openHarness();
  const [mesh, ...others] = GOOD_SET;
  const text = mesh?.text.replace("spec: {", `spec: { oidcDiscovery: { issuer: "${ISSUER}" },`) ?? "";
  await harness.authority.publish([{ path: "mesh.yaml", text }, ...others], "test");
  const provider = { issuer: ISSUER, audiences: ["api"], jwks: { inline: keySet(harness.ca.trustBundle()) } };
  const edge = listen({ port, clients: "public", app: `unix:${at("app.sock")}` });
  const api = workload("api", sidecar({ listens: [edge] }));
  const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
  app = await startHttpApp(at("app.sock"));
  const ca = createTestCa({ trustDomain: "shop.example" });
  const svid = ca.issue({ uris: [api.identity.toString()] }).svid();
  agent = await startTestAgent(sockets, api.identity, { svid, trustBundles: [ca.bundle()], serverFirst: new Map() });
  const { path, version: envoyVersion } = await locateEnvoy();
  const set = meshOf([api], { jwtProviders: new Map([["mesh", provider]]) });
  const adminSocket = at("admin.sock");
  envoy = await runEnvoy({
    path,
    bootstrap: renderSidecar({ workload: api, set, envoyVersion, sockets, adminSocket }),
    adminSocket,
  });
  await envoy.ready();
});

afterAll(async () => {
  await envoy?.stop();
  agent?.stop();
  await app?.stop();
  await harness?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A token of the authority for `shop/web`. */
async function tokenFor(audience: string): Promise<string> {
  const identity = await harness.enrol("host-1");
  const requests = [{ identity: WEB, audience: [audience] }];
  const answer = await harness.call("post", "/v1/jwt-svids", identity).send({ requests });
  return jwtSvidsResponse.parse(answer.body).tokens[0]?.token ?? "";
}

/** What Check was told of a request with that token. */
async function claims(token: string) {
  // On a busy host the first checks may come too late for Envoy.
  const answer = await until(
    () => ask({ port, path: "/", headers: { authorization: `Bearer ${token}` } }),
    ({ status }) => status !== 503,
  );
  expect(answer.status).toBe(200);
  const check = agent.checks.at(-1);
  return check?.ok ? check.attributes.claims?.get("mesh") : undefined;
}

it("is verified by the keys that OIDC verifiers are given, for its audience only", async () => {
  expect(await claims(await tokenFor("api"))).toEqual({
    kind: "verified",
    payload: expect.objectContaining({ iss: ISSUER, sub: WEB }),
  });
  expect(await claims(await tokenFor("other"))).toEqual({ kind: "absent" });
});
