import { readdirSync } from "node:fs";
import { join } from "node:path";
import { connectApp, type DemoApp, type MeshName, meshPolicyFiles } from "../../compose/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { type PolicySet, parseDocuments, resolve, type Sidecar } from "../../policies/index.ts";
import { CliError, systemCode } from "../cli-error.ts";
import { fileRecords } from "./file-records.ts";
import type { Stage, StageMesh } from "./step.ts";

/** Where the containers of a demo mesh keep the sockets of their agent. */
export const CONTAINER_RUN_DIR = "/run/cellwall";

/** A mesh that runs already, in containers. */
export interface AttachOptions {
  readonly mesh: MeshName;
  /** Folder with `<workload>/drive.sock` of each app. */
  readonly apps: string;
  /** The agent's decision log. */
  readonly log: string;
}

/** Connects to the apps of a mesh that runs already; `ERR_CLI_FILE` where one cannot be reached. */
export async function attachStage(options: AttachOptions): Promise<Stage & { readonly close: () => Promise<void> }> {
  const apps = new Map<string, DemoApp>();
  for (const name of readdirSync(options.apps)) apps.set(name, await connected(name, options.apps));
  await Promise.all([...apps.values()].map((app) => app.pause()));
  const mesh = containerMesh(options.mesh, options.log);
  return { mesh, apps, close: async () => void (await Promise.all([...apps.values()].map((app) => app.stop()))) };
}

async function connected(name: string, folder: string): Promise<DemoApp> {
  const socket = join(folder, name, "drive.sock");
  try {
    return await connectApp(name, socket);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot drive the app \`${name}\` over \`${socket}\`: ${systemCode(error)}`, {
      hint: "is the mesh up? `docker compose ps` says which app is not",
      cause: error,
    });
  }
}

/** What the policy set says of places holds in containers as it stands. */
function containerMesh(name: MeshName, log: string): StageMesh {
  const { documents, diagnostics } = parseDocuments(meshPolicyFiles(name, ["policies", "containers"]));
  const set = resolve(documents, { diagnostics });
  const sidecar = (workload: string): Sidecar => sidecarOf(set, workload);
  return {
    namespace: name,
    trustDomain: set.mesh.trustDomain,
    records: fileRecords(log),
    address: (workload) => sidecar(workload).address,
    sockets: (workload) => socketPaths(CONTAINER_RUN_DIR, { namespace: name, name: workload }),
    appSocket: (workload, port) => unixPath(sidecar(workload).listens.find((listen) => listen.port === port)?.app),
    callSocket: (workload, callee) =>
      unixPath(sidecar(workload).calls.find((call) => call.workload.name === callee)?.local),
  };
}

function sidecarOf(set: PolicySet, name: string): Sidecar {
  const sidecar = set.workloads.find((workload) => workload.name === name)?.sidecar;
  if (sidecar === undefined) throw new TypeError(`the mesh has no workload \`${name}\``);
  return sidecar;
}

function unixPath(address: string | undefined): string {
  if (address?.startsWith("unix:") !== true) throw new TypeError(`\`${address}\` is not a unix socket`);
  return address.slice("unix:".length);
}
