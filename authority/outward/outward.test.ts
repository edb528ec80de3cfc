import { X509Certificate } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { createRemoteJWKSet, customFetch, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { jwtSvidsResponse } from "../../protocol/index.ts";
import { fetchTrustBundle } from "../../spiffe/bundle-endpoint/index.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { freePort } from "../testing/free-port.ts";
import { GOOD_SET, type Harness, openHarness, until } from "../testing/harness.ts";
import { fetchTrusting } from "../testing/token-issuer.ts";
import { documentServer } from "./document-server.ts";
import { startWebServer } from "./web-server.ts";

const web = createTestCa({ trustDomain: "web.example" });
const webLeaf = () => web.issue({ uris: [], dns: ["localhost"], ips: ["127.0.0.1"] });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cellwall-outward-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function putCertificate(leaf: TestCertificate): void {
  for (const [name, text] of [
    ["tls.crt", leaf.chainPem],
    ["tls.key", leaf.keyPem],
  ] as const) {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

const [meshFile, ...others] = GOOD_SET;
const setWith = (spec: string) => [
  { path: "mesh.yaml", text: (meshFile?.text ?? "").replace("spec: {", `spec: { ${spec},`) },
  ...others,
];

describe("a document server", () => {
  const answerTo = (method: string, url: string) =>
    new Promise<{ status: number; body: unknown; headers: unknown }>((resolve) => {
      const served = documentServer(new Map([["/keys", () => '{"keys":[]}']]));
      const response = {
        status: 0,
        headers: {},
        setHeader: () => {},
        writeHead(status: number, headers: object) {
          Object.assign(response, { status, headers });
        },
        end: (body: unknown) =>
          resolve({ status: response.status, body: body && String(body), headers: response.headers }),
      };
      served({ method, url } as never, response as never);
    });

  it.each<[string, string, number]>([
    ["GET", "/keys", 200],
    ["GET", "/keys?x=1", 200],
    ["HEAD", "/keys", 200],
    ["GET", "/keys/", 404],
    ["GET", "/", 404],
    ["GET", "/%6beys", 404],
    ["POST", "/keys", 405],
  ])("F-5: answers %s %s with %i", async (method, url, status) => {
    const answer = await answerTo(method, url);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ "content-type": "application/json; charset=utf-8" });
    if (method === "HEAD") expect(answer.body).toBeUndefined();
  });
});

describe("certificate files", () => {
  const leafAt = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, ca: web.rootPem, servername: "localhost" }, () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber.toLowerCase());
        socket.destroy();
      });
      socket.once("error", reject);
    });

  it("are taken anew when they are replaced, and a pair that does not fit is not", async () => {
    const [first, second] = [webLeaf(), webLeaf()];
    const serialOf = ({ certificate }: TestCertificate) => certificate.serialNumber.toLowerCase();
    putCertificate(first);
    const port = await freePort();
    const problems: unknown[] = [];
    const server = await startWebServer({
      app: documentServer(new Map()),
      listen: { host: "127.0.0.1", port },
      certificate: folder,
      failed: (error) => problems.push(error),
      lookMs: 20,
    });
    expect(await leafAt(port)).toBe(serialOf(first));
    writeFileSync(join(folder, "tls.key"), second.keyPem);
    await until("the pair is refused", () => problems.length > 0);
    expect(await leafAt(port)).toBe(serialOf(first));
    putCertificate(second);
    await until("the new one is shown", async () => (await leafAt(port)) === serialOf(second));
    expect(problems).toHaveLength(1);
    await server.close();
  });
});

describe("for others", () => {
  let harness: Harness;
  afterEach(() => harness.close());

  it("F-3: the bundle endpoint serves with a certificate of the web's, and asks nobody for one", async () => {
    putCertificate(webLeaf());
    const port = await freePort();
    harness = await openHarness();
    const endpoint = `bundleEndpoint: { listen: "127.0.0.1:${port}", profile: https_web, certificate: ${folder} }`;
    await harness.authority.publish(setWith(endpoint), "test");
    expect(harness.authority.status().outward).toEqual([{ name: "bundleEndpoint", listen: `127.0.0.1:${port}` }]);
    const url = `https://127.0.0.1:${port}/`;
    const { trustDomain } = harness.ca;
    const options = { trustDomain, at: new Date(), signal: new AbortController().signal, ca: web.rootPem };
    const bundle = await fetchTrustBundle({ profile: "https_web", url }, options);
    expect(bundle.x509Authorities).toHaveLength(1);
  });

  it("a JWT-SVID is a token that jose verifies by discovery and keys, and only for its audience and issuer", async () => {
    putCertificate(webLeaf());
    const port = await freePort();
    const issuer = `https://127.0.0.1:${port}/mesh`;
    harness = await openHarness();
    const discovery = `oidcDiscovery: { issuer: "${issuer}", listen: "127.0.0.1:${port}", certificate: ${folder} }`;
    await harness.authority.publish(setWith(discovery), "test");
    const agent = await harness.enrol("host-1");
    const identity = "spiffe://shop.example/shop/web";
    const answer = await harness
      .call("post", "/v1/jwt-svids", agent)
      .send({ requests: [{ identity, audience: ["warehouse"] }] });
    const token = jwtSvidsResponse.parse(answer.body).tokens[0]?.token ?? "";

    const fetch = fetchTrusting(web.rootPem);
    const found = await (await fetch(`${issuer}/.well-known/openid-configuration`, {})).json();
    const document = z.looseObject({ jwks_uri: z.string() }).parse(found);
    expect(document).toMatchObject({ issuer, jwks_uri: `${issuer}/keys`, subject_types_supported: ["public"] });
    const keys = createRemoteJWKSet(new URL(document.jwks_uri), { [customFetch]: fetch });
    const { payload } = await jwtVerify(token, keys, { issuer, audience: "warehouse", algorithms: ["ES256"] });
    expect(payload.sub).toBe(identity);
    await expect(jwtVerify(token, keys, { issuer, audience: "other" })).rejects.toThrow('"aud"');
    await expect(jwtVerify(token, keys, { issuer: "https://other.example", audience: "warehouse" })).rejects.toThrow(
      "iss",
    );

    const published = await (await fetch(document.jwks_uri, {})).json();
    for (const key of z.object({ keys: z.array(z.looseObject({})).min(1) }).parse(published).keys) {
      expect(key).toMatchObject({ use: "sig", alg: "ES256", kty: "EC", kid: expect.any(String) });
      expect(Object.keys(key)).not.toContain("d");
    }
    await new Promise((resolve) =>
      get(`https://127.0.0.1:${port}/.well-known/openid-configuration`, { ca: web.rootPem, agent: false }, (other) => {
        expect(other.statusCode).toBe(404);
        resolve(other.resume());
      }),
    );
  });
});
