import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/binary/index.ts";
import { renderSidecar } from "../../envoy/config/index.ts";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { freePorts } from "../support/free-ports.ts";
import { startTestAgent, type TestAgent } from "./agent.ts";
import { startHttpApp, type TestApp } from "./app.ts";
import { ask } from "./clients.ts";

// Two token providers on one listener: what each has verified reaches Check by itself.

const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
let keys: { readonly corp: CryptoKey; readonly partner: CryptoKey };
let port = 0;
let agent: TestAgent;
let app: TestApp;
let envoy: RunningEnvoy;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  const [corp, partner] = [await generateKeyPair("ES256"), await generateKeyPair("ES256")];
  keys = { corp: corp.privateKey, partner: partner.privateKey };
  const provider = async (name: string, key: CryptoKey) => ({
    issuer: `https://${name}.example`,
    audiences: ["api"],
    jwks: { inline: JSON.stringify({ keys: [{ ...(await exportJWK(key)), alg: "ES256", kid: name }] }) },
  });
  const jwtProviders = new Map([
    ["corp", await provider("corp", corp.publicKey)],
    ["partner", await provider("partner", partner.publicKey)],
  ]);
  const web = workload(
    "web",
    sidecar({ listens: [listen({ port, clients: "public", app: `unix:${at("app.sock")}` })] }),
  );
  const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
  app = await startHttpApp(at("app.sock"));
  const ca = createTestCa({ trustDomain: "shop.example" });
  const svid = ca.issue({ uris: [web.identity.toString()] }).svid();
  agent = await startTestAgent(sockets, web.identity, { svid, trustBundles: [ca.bundle()], serverFirst: new Map() });
  const { path, version: envoyVersion } = await locateEnvoy();
  const adminSocket = at("admin.sock");
  const bootstrap = renderSidecar({
    workload: web,
    set: meshOf([web], { jwtProviders }),
    envoyVersion,
    sockets,
    adminSocket,
  });
  envoy = await runEnvoy({ path, bootstrap, adminSocket });
  await envoy.ready();
});

afterAll(async () => {
  await envoy?.stop();
  agent?.stop();
  await app?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const token = (provider: "corp" | "partner", key = keys[provider], expires = "5m") =>
  new SignJWT({ groups: ["admins"] })
    .setProtectedHeader({ alg: "ES256", kid: provider })
    .setIssuer(`https://${provider}.example`)
    .setAudience("api")
    .setExpirationTime(expires)
    .sign(key);

/** What Check was told of a request with that header. */
async function claims(authorization: string | undefined, path = "/") {
  agent.checks.length = 0;
  const answer = await ask({ port, path, headers: authorization === undefined ? {} : { authorization } });
  expect(answer.status).toBe(200);
  const [check] = agent.checks;
  return check?.ok ? Object.fromEntries(check.attributes.claims ?? []) : undefined;
}

const absent = { kind: "absent" };
const verified = (provider: string) => ({
  kind: "verified",
  payload: expect.objectContaining({ iss: `https://${provider}.example`, groups: ["admins"] }),
});

it("tells Check which provider has verified the token", async () => {
  expect(await claims(`Bearer ${await token("corp")}`)).toEqual({ corp: verified("corp"), partner: absent });
  expect(await claims(`Bearer ${await token("partner")}`)).toEqual({ corp: absent, partner: verified("partner") });
});

it("tells Check that there is no token, which is not the same as no filter", async () => {
  expect(await claims(undefined)).toEqual({ corp: absent, partner: absent });
});

it.each<[string, () => Promise<string>]>([
  ["another's key", () => token("corp", keys.partner)],
  ["an end in the past", () => token("corp", keys.corp, "-5m")],
  [
    "no end",
    async () => {
      const endless = new SignJWT({}).setProtectedHeader({ alg: "ES256", kid: "corp" });
      return endless.setIssuer("https://corp.example").setAudience("api").sign(keys.corp);
    },
  ],
])("takes a token with %s for none", async (_what, make) => {
  expect(await claims(`Bearer ${await make()}`)).toEqual({ corp: absent, partner: absent });
});

it("reads no token in the query, and gives the app the header that Check does not get", async () => {
  app.received.length = 0;
  expect(await claims(undefined, `/?access_token=${await token("corp")}`)).toEqual({ corp: absent, partner: absent });
  const authorization = `Bearer ${await token("corp")}`;
  await claims(authorization);
  expect(app.received.at(-1)?.headers.authorization).toBe(authorization);
  const sent = agent.requests.at(-1)?.attributes?.request?.http?.headerMap?.headers.map(({ key }) => key);
  expect(sent).not.toContain("authorization");
});
