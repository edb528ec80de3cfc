import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import supertest from "supertest";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/index.ts";
import { freshKey, requestText } from "../../ca/testing/certificate-request.ts";
import { shardOf } from "../../policies/index.ts";
import { enrolResponse } from "../../protocol/index.ts";
import { certificatesToPem, parseTrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { createAdminToken } from "../api/admin-token.ts";
import { type Authority, type AuthorityOptions, createAuthority } from "../authority.ts";

/** A certificate with its key, as a TLS client presents it. */
export interface ClientIdentity {
  readonly certPem: string;
  readonly keyPem: string;
  readonly serial: string;
}

/** A running authority over a store of its own, with ways to call it. */
export interface Harness {
  readonly authority: Authority;
  readonly ca: CertificateAuthority;
  readonly url: string;
  readonly token: string;
  readonly rootPem: string;
  /** Moves the authority's clock. */
  advance(seconds: number): void;
  /** A request with the admin token. */
  admin(method: "get" | "post", path: string): supertest.Test;
  /** A request with an agent's certificate, or with none. */
  call(method: "get" | "post", path: string, identity?: ClientIdentity): supertest.Test;
  /** Enrols the agent of a node. */
  enrol(node: string): Promise<ClientIdentity>;
  /** Stops this one and opens another over the same folder. */
  restart(): Promise<Harness>;
  close(): Promise<void>;
}

/** Opens an authority in a temporary folder and listens on a free loopback port. */
export async function openHarness(
  options: Partial<AuthorityOptions> = {},
  trustDomain = "shop.example",
): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "cellwall-authority-"));
  return open(folder, options, trustDomain);
}

async function open(folder: string, options: Partial<AuthorityOptions>, name: string): Promise<Harness> {
  let offsetMs = 0;
  const clock = (): Date => new Date(Date.now() + offsetMs);
  const store = await openStore({ file: join(folder, "authority.db") });
  const trustDomain = parseTrustDomain(name);
  let authority: Authority | undefined;
  const jwtIssuer = (): string | undefined => authority?.jwtIssuer();
  const ca = await openCertificateAuthority({
    store,
    keyFolder: join(folder, "keys"),
    trustDomain,
    clock,
    shardOf,
    jwtIssuer,
  });
  const token = createAdminToken();
  const running = createAuthority({ ca, clock, adminToken: token, version: "0.0.0-test", store, ...options });
  authority = running;
  const { url } = await running.listen({ host: "127.0.0.1", port: 0 });
  const rootPem = certificatesToPem(ca.trustBundle().x509Authorities);
  const stop = async (): Promise<void> => {
    await running.close();
    await ca.close();
    await store.close();
  };
  const call: Harness["call"] = (method, path, identity) => {
    const request = supertest(url)[method](path).ca(rootPem);
    return identity === undefined ? request : request.key(identity.keyPem).cert(identity.certPem);
  };
  return {
    authority: running,
    ca,
    url,
    token,
    rootPem,
    advance: (seconds) => {
      offsetMs += seconds * 1000;
    },
    admin: (method, path) => call(method, path).set("Authorization", `Bearer ${token}`),
    call,
    enrol: async (node) => enrolAt(call, (await ca.createJoinToken(node)).token),
    restart: async () => {
      await stop();
      return open(folder, options, name);
    },
    close: async () => {
      await stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function enrolAt(call: Harness["call"], token: string): Promise<ClientIdentity> {
  const key = freshKey();
  const answer = await call("post", "/v1/enrol").send({ token, csr: requestText({ key }) });
  const { certificate } = enrolResponse.parse(answer.body);
  return identityOf(certificate.chain, key, certificate.serial);
}

/** A client identity from a chain as the protocol carries it. */
export function identityOf(chain: readonly string[], key: KeyObject, serial: string): ClientIdentity {
  const certificates = chain.map((der) => new X509Certificate(Buffer.from(der, "base64url")));
  const keyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
  createPrivateKey(keyPem);
  return { certPem: certificatesToPem(certificates), keyPem, serial };
}

/** Waits for a condition; rejects with what it waited for when the deadline passes. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const MESH = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Node
metadata: { name: host-1, labels: { pool: apps } }
spec: { attest: [{ joinToken: {} }] }
---
apiVersion: cellwall.dev/v1
kind: Node
metadata: { name: host-2, labels: { pool: data } }
spec: { attest: [{ joinToken: {} }] }
`;

/** A workload document of namespace `shop`. */
export function workloadText(name: string, pool = "apps"): string {
  return `---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { runsOn: { labels: { pool: ${pool} } } }
`;
}

/** A policy document that lets web read orders. */
export function policyText(request = "GET /orders/{id}"): string {
  return `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: web-reads
      from:
        - workload: web
      requests:
        - ${request}
`;
}

/** A good set: two nodes, web and orders, one policy. */
export const GOOD_SET = [
  { path: "mesh.yaml", text: MESH + workloadText("web") + workloadText("orders") },
  { path: "access.yaml", text: policyText() },
];

/** The same with a mistake in `access.yaml`. */
export const BROKEN_SET = [
  GOOD_SET[0] ?? { path: "", text: "" },
  { path: "access.yaml", text: policyText().replace("protects", "protect") },
];
