import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compareEnvoyVersions,
  type EnvoyVersion,
  envoyVersion,
  locateEnvoy,
  validateBootstrap,
} from "../../envoy/binary/index.ts";
import { renderSidecar } from "../../envoy/config/index.ts";
import { call, listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import type { JwtProvider, Sidecar } from "../../policies/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { OLD_ENVOYS, oldEnvoy } from "./old-envoys.ts";

// Every kind of listener, call and token provider as Envoy itself reads it (`envoy --mode validate`).

const folder = mkdtempSync(join(tmpdir(), "cellwall-config-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  const certificate = createTestCa({ trustDomain: "edge.example" }).issue({ dns: ["shop.example"] });
  writeFileSync(at("tls.crt"), certificate.chainPem);
  writeFileSync(at("tls.key"), certificate.keyPem);
  writeFileSync(at("keys.json"), jwks());
});

function jwks(): string {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
  return JSON.stringify({ keys: [{ ...key, kid: "a", alg: "ES256" }] });
}

const tcp = { protocol: "tcp", app: "127.0.0.1:5432" } as const;

/** One sidecar a kind; those that every supported version can have, and those that need 1.37. */
const everywhere: ReadonlyMap<string, () => Partial<Sidecar>> = new Map([
  ["nothing at all", () => ({})],
  ["an http listener", () => ({ listens: [listen()] })],
  ["an http listener with websockets", () => ({ listens: [listen({ upgrades: ["websocket"] })] })],
  ["an app that speaks http/1.1", () => ({ listens: [listen({ appProtocol: "http1", app: "localhost:8080" })] })],
  ["an app that speaks http/2", () => ({ listens: [listen({ appProtocol: "http2", app: "[::1]:8080" })] })],
  ["an app with a name", () => ({ listens: [listen({ app: "app.shop.svc:8080" })] })],
  [
    "headers that are kept and checked",
    () => ({ listens: [listen()], checkHeaders: ["authorization"], keepOverrideHeaders: ["forwarded"] }),
  ],
  [
    "every withheld header checked",
    () => ({ listens: [listen()], checkHeaders: ["authorization", "cookie", "proxy-authorization"] }),
  ],
  ["a public listener in plaintext", () => ({ listens: [listen({ clients: "public" })] })],
  [
    "a public listener with a certificate",
    () => ({ listens: [listen({ clients: "public", serverCertificate: folder })] }),
  ],
  ["probes", () => ({ listens: [listen()], probes: { port: 15021, paths: ["/healthz", "/readyz"] } })],
  ["an http call over a unix socket", () => ({ calls: [call("peer", 8443, `unix:${at("peer.sock")}`)] })],
  ["an http call over a port, with websockets", () => ({ calls: [call("peer", 8444, "127.0.0.1:18444")] })],
  ["tcp calls", () => ({ calls: [call("peer", 5432, `unix:${at("a.sock")}`), call("peer", 3306, "[::1]:13306")] })],
  ["a call of a peer with a name", () => ({ calls: [call("named", 8443, "localhost:18443")] })],
]);

const since137: ReadonlyMap<string, () => Partial<Sidecar>> = new Map([
  ["a tcp listener, client first", () => ({ listens: [listen({ ...tcp })] })],
  ["a tcp listener, server first", () => ({ listens: [listen({ ...tcp, speaksFirst: "server" })] })],
  ["a public tcp listener", () => ({ listens: [listen({ ...tcp, clients: "public" })] })],
  [
    "a public tcp listener with a certificate",
    () => ({ listens: [listen({ ...tcp, clients: "public", serverCertificate: folder })] }),
  ],
]);

const peer = workload(
  "peer",
  sidecar({
    listens: [
      listen(),
      listen({ port: 8444, upgrades: ["websocket"] }),
      listen({ ...tcp, port: 5432 }),
      listen({ ...tcp, port: 3306, speaksFirst: "server" }),
    ],
  }),
);
const named = workload("named", sidecar({ address: "named.shop.svc", listens: [listen()] }));

function bootstrapOf(part: Partial<Sidecar>, version: EnvoyVersion, jwtProviders = new Map<string, JwtProvider>()) {
  const own = workload("own", sidecar(part));
  const set = meshOf([own, peer, named], { jwtProviders, federated: [parseTrustDomain("partner.example")] });
  return renderSidecar({
    workload: own,
    set,
    envoyVersion: version,
    sockets: { authz: at("authz.sock"), envoy: at("envoy.sock") },
    adminSocket: at("admin.sock"),
    systemRoots: at("tls.crt"),
  });
}

const providers = (): ReadonlyMap<string, JwtProvider> =>
  new Map<string, JwtProvider>([
    ["inline", { issuer: "https://a.example", audiences: ["api"], jwks: { inline: jwks() } }],
    ["file", { issuer: "https://b.example", audiences: [], jwks: { file: at("keys.json") } }],
    ["url", { issuer: "https://c.example", audiences: ["x", "y"], jwks: { url: "https://c.example/keys" } }],
    ["local", { issuer: "https://d.example", audiences: [], jwks: { url: "http://127.0.0.1:9/keys" } }],
  ]);

/** What Envoy says of each configuration that it does not take. */
async function complaints(path: string, version: EnvoyVersion): Promise<Record<string, string>> {
  const newer = compareEnvoyVersions(version, { major: 1, minor: 37, patch: 0 }) >= 0;
  const kinds = [...everywhere, ...(newer ? since137 : [])];
  const said: Record<string, string> = {};
  for (const [kind, part] of kinds) {
    const complaint = await validateBootstrap(path, bootstrapOf(part(), version));
    if (complaint !== undefined) said[kind] = complaint;
  }
  const tokens = bootstrapOf({ listens: [listen()] }, version, new Map(providers()));
  const complaint = await validateBootstrap(path, tokens);
  return complaint === undefined ? said : { ...said, tokens: complaint };
}

describe("a rendered configuration", () => {
  it("is taken by the Envoy in use, whatever the sidecar has", async () => {
    const { path, version } = await locateEnvoy();
    expect(await complaints(path, version)).toEqual({});
  });

  it("is refused when it holds a field that Envoy does not know, so taking it means something", async () => {
    const { path, version } = await locateEnvoy();
    const broken = { ...bootstrapOf({ listens: [listen()] }, version), no_such_field: true };
    expect(await validateBootstrap(path, broken)).toContain("no_such_field");
  });

  // The old lines are fetched at full depth only: they are no part of what users run.
  const full = process.env.CELLWALL_DEPTH === "full" && process.platform === "linux" && process.arch === "x64";
  for (const version of full ? OLD_ENVOYS.keys() : []) {
    it(`is taken by Envoy ${version}`, async () => {
      const path = await oldEnvoy(version);
      chmodSync(path, 0o755);
      expect(await complaints(path, await envoyVersion(path))).toEqual({});
    });
  }
});
