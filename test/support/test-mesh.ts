import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalMesh, type LocalMeshOptions, startLocalMesh } from "../../cli/local-mesh/index.ts";
import { locateEnvoy } from "../../envoy/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import { grpcApp, http1App, type TestApp, tcpApp } from "./apps.ts";

// A mesh with an app of every protocol: `web` may call each on some lines, `stranger` is registered and may call none.
const MESH = `
apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: test }
spec: { trustDomain: test.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  sidecar:
    address: web
    calls:
      - { workload: orders, port: 8443, local: "unix:/x/orders.sock" }
      - { workload: invoices, port: 8443, local: "unix:/x/invoices.sock" }
      - { workload: db, port: 5432, local: "unix:/x/db.sock" }
      - { workload: mail, port: 2525, local: "unix:/x/mail.sock" }
`;

const STRANGER = `
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: stranger, namespace: shop, labels: { app: stranger } }
spec:
  sidecar:
    address: stranger
    calls:
      - { workload: orders, port: 8443, local: "unix:/x/orders.sock" }
      - { workload: invoices, port: 8443, local: "unix:/x/invoices.sock" }
      - { workload: db, port: 5432, local: "unix:/x/db.sock" }
      - { workload: mail, port: 2525, local: "unix:/x/mail.sock" }
`;

const DESTINATIONS = `
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders } }
spec:
  sidecar:
    address: orders
    listens:
      - { port: 8443, app: "unix:/x/app.sock", protocol: http, upgrades: [websocket] }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: invoices, namespace: shop, labels: { app: invoices } }
spec:
  sidecar:
    address: invoices
    listens:
      - { port: 8443, app: "unix:/x/app.sock", protocol: http, appProtocol: http2 }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: db, namespace: shop, labels: { app: db } }
spec:
  sidecar:
    address: db
    listens:
      - { port: 5432, app: "unix:/x/app.sock", protocol: tcp, speaksFirst: client }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: mail, namespace: shop, labels: { app: mail } }
spec:
  sidecar:
    address: mail
    listens:
      - { port: 2525, app: "unix:/x/app.sock", protocol: tcp, speaksFirst: server }
`;

const POLICIES = `
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: web-reads
      from:
        - workload: web
      requests:
        - GET|HEAD /orders/{id:int}
        - GET /static/**
    - name: web-places
      from:
        - workload: web
      requests:
        - POST /orders
      headers:
        content-type: { prefix: application/json }
    - name: web-exports
      from:
        - workload: web
      requests:
        - POST /exports
      headers:
        x-tenant: { in: [acme, globex] }
    - name: web-listens
      from:
        - workload: web
      requests:
        - websocket /live/**
  deny:
    - name: nobody-administers
      requests:
        - ANY /static/admin/**
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: invoices, namespace: shop }
spec:
  protects: { workload: invoices }
  allow:
    - name: web-asks
      from:
        - workload: web
      requests:
        - grpc shop.Invoices/Get
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: tcp, namespace: shop }
spec:
  protects: { labels: { app: { in: [db, mail] } } }
  allow:
    - name: web-connects
      from:
        - workload: web
      requests:
        - tcp *
`;

/** The whole protocol mesh as one file. */
export const protocolMeshFile: { readonly path: string; readonly text: string } = {
  path: "mesh.yaml",
  text: `${MESH.trimStart()}${STRANGER}${DESTINATIONS}${POLICIES}`,
};

/** The same without its TCP listeners, which need Envoy 1.37. */
export const httpMeshFile: typeof protocolMeshFile = {
  path: "mesh.yaml",
  text: protocolMeshFile.text
    .split("---\n")
    .filter((document) => !/name: (db|mail|tcp),/.test(document))
    .map((document) => document.replace(/^ +- \{ workload: (db|mail),.*\n/gm, ""))
    .join("---\n"),
};

/** A running mesh of HTTP and gRPC with the apps in this process. */
export interface HttpMesh {
  readonly mesh: LocalMesh;
  readonly orders: TestApp;
  readonly invoices: TestApp;
  stop(): Promise<void>;
}

/** The same with the apps that speak TCP. */
export interface ProtocolMesh extends HttpMesh {
  readonly db: TestApp;
  readonly mail: TestApp;
}

/** Greeting of the app that speaks first. */
export const BANNER = "220 mail ready\r\n";

/** Starts a mesh of these files without apps or sidecars; its folder is removed when it stops. */
export async function startTestMesh(
  files: readonly { readonly path: string; readonly text: string }[],
  options: Pick<LocalMeshOptions, "log" | "lifetimes" | "revocationLists"> = {},
): Promise<LocalMesh> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const mesh = await startLocalMesh({ ...options, files, folder, envoy: await locateEnvoy() }).catch(
    (error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    },
  );
  return {
    ...mesh,
    stop: async () => {
      await mesh.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the mesh without its TCP listeners, as any supported Envoy can carry it. */
export function startHttpMesh(): Promise<HttpMesh> {
  return startWithApps(httpMeshFile, httpApps);
}

/** Starts the protocol mesh, its apps and all its sidecars. */
export function startProtocolMesh(): Promise<ProtocolMesh> {
  return startWithApps(protocolMeshFile, async (mesh) => ({
    ...(await httpApps(mesh)),
    db: await tcpApp(mesh.appSocket("db", 5432)),
    mail: await tcpApp(mesh.appSocket("mail", 2525), BANNER),
  }));
}

async function httpApps(mesh: LocalMesh) {
  return {
    orders: await http1App(mesh.appSocket("orders", 8443)),
    invoices: await grpcApp(mesh.appSocket("invoices", 8443), ["/shop.Invoices/Get", "/shop.Invoices/Delete"]),
  };
}

async function startWithApps<A extends Readonly<Record<string, TestApp>>>(
  file: typeof protocolMeshFile,
  startApps: (mesh: LocalMesh) => Promise<A>,
): Promise<A & { readonly mesh: LocalMesh; stop(): Promise<void> }> {
  const mesh = await startTestMesh([file]);
  const apps = await startApps(mesh);
  const stop = async (): Promise<void> => {
    await mesh.stop();
    for (const app of Object.values(apps)) await app.close();
  };
  await mesh.startSidecars().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { ...apps, mesh, stop };
}

/** Waits for the decision that fits, after a mark; throws with what came instead. */
export async function decisionAfter(
  mesh: LocalMesh,
  mark: number,
  fits: (record: LogRecord) => boolean,
): Promise<LogRecord & { readonly kind: "decision" }> {
  const record = await mesh.records.waitFor(mark, (one) => one.kind === "decision" && fits(one), 5_000);
  if (record?.kind === "decision") return record;
  throw new Error(`no such decision; seen: ${JSON.stringify(mesh.records.since(mark))}`);
}
