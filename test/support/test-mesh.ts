import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalMesh, type LocalMeshOptions, startLocalMesh } from "../../cli/local-mesh/index.ts";
import { locateEnvoy } from "../../envoy/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import { grpcApp, http1App, type TestApp, tcpApp } from "./apps.ts";
import { type MeshInShort, meshDocuments } from "./mesh-documents.ts";

/** A file of policies. */
interface MeshFile {
  readonly path: string;
  readonly text: string;
}

const HTTP: MeshInShort = {
  workloads: {
    web: { labels: { app: "web" }, calls: ["orders", "invoices"] },
    stranger: { labels: { app: "stranger" }, calls: ["orders", "invoices"] },
    orders: { labels: { app: "orders" }, listens: [{ port: 8443, upgrades: ["websocket"] }] },
    invoices: { labels: { app: "invoices" }, listens: [{ port: 8443, appProtocol: "http2" }] },
  },
  policies: {
    orders: {
      allow: {
        "web-reads": { from: "web", requests: ["GET|HEAD /orders/{id:int}", "GET /static/**"] },
        "web-places": {
          from: "web",
          requests: ["POST /orders"],
          headers: { "content-type": { prefix: "application/json" } },
        },
        "web-exports": {
          from: "web",
          requests: ["POST /exports"],
          headers: { "x-tenant": { in: ["acme", "globex"] } },
        },
        "web-listens": { from: "web", requests: ["websocket /live/**"] },
      },
      deny: { "nobody-administers": { requests: ["ANY /static/admin/**"] } },
    },
    invoices: { allow: { "web-asks": { from: "web", requests: ["grpc shop.Invoices/Get"] } } },
  },
};

const EVERY_PORT = ["orders", "invoices", "db", "mail"];
const PROTOCOLS: MeshInShort = {
  workloads: {
    ...HTTP.workloads,
    web: { labels: { app: "web" }, calls: EVERY_PORT },
    stranger: { labels: { app: "stranger" }, calls: EVERY_PORT },
    db: { labels: { app: "db" }, listens: [{ port: 5432, protocol: "tcp", speaksFirst: "client" }] },
    mail: { labels: { app: "mail" }, listens: [{ port: 2525, protocol: "tcp", speaksFirst: "server" }] },
  },
  policies: {
    ...HTTP.policies,
    tcp: {
      protects: { labels: { app: { in: ["db", "mail"] } } },
      allow: { "web-connects": { from: "web", requests: ["tcp *"] } },
    },
  },
};

/** A mesh with an app of every protocol, as one file: `web` may call each on some lines, `stranger` is registered and may call none. */
export const protocolMeshFile: MeshFile = { path: "mesh.yaml", text: meshDocuments(PROTOCOLS) };

/** The same without its TCP listeners, which need Envoy 1.37. */
export const httpMeshFile: MeshFile = { path: "mesh.yaml", text: meshDocuments(HTTP) };

/** Two that may read orders: `web` calls through its sidecar, `batch` has an identity and makes connections of its own. */
export const readersMeshFile: MeshFile = {
  path: "mesh.yaml",
  text: meshDocuments({
    workloads: {
      web: { labels: { tier: "front" }, calls: ["orders"] },
      batch: { labels: { tier: "front" } },
      orders: { listens: [{ port: 8443 }] },
    },
    policies: {
      orders: {
        allow: { "front-reads": { from: { labels: { tier: "front" } }, requests: ["GET /orders/{id:int}"] } },
      },
    },
  }),
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
  files: readonly MeshFile[],
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
  file: MeshFile,
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
