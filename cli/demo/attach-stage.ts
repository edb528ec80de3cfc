import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  connectApp,
  type DemoApp,
  type MeshName,
  type MeshSide,
  meshSides,
  sidePolicyFiles,
} from "../../compose/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { type PolicySet, parseDocuments, resolve } from "../../policies/index.ts";
import { CliError, systemCode } from "../cli-error.ts";
import { fileRecords } from "./file-records.ts";
import { joinedRecords } from "./joined-records.ts";
import { placedMesh } from "./placed-mesh.ts";
import type { Stage } from "./step.ts";

/** Where the containers of a demo mesh keep the sockets of their agent. */
export const CONTAINER_RUN_DIR = "/run/cellwall";

/** A mesh that runs already, in containers. */
export interface AttachOptions {
  readonly mesh: MeshName;
  /** Folder with `<workload>/drive.sock` of each app. */
  readonly apps: string;
  /** The decision logs of its agents. */
  readonly logs: readonly string[];
}

/** A stage that others run; closing it lets its apps go on by themselves. */
export interface AttachedStage extends Stage {
  readonly close: () => Promise<void>;
}

/** Connects to the apps of a mesh that runs already; `ERR_CLI_FILE` where one cannot be reached. */
export async function attachStage({ mesh: name, apps: folder, logs }: AttachOptions): Promise<AttachedStage> {
  const apps = new Map<string, DemoApp>();
  for (const app of readdirSync(folder)) apps.set(app, await connected(app, folder));
  await Promise.all([...apps.values()].map((app) => app.pause()));
  const sides = meshSides(name).map((side) => ({
    set: containerSet(side),
    sockets: (workload: { readonly namespace: string; readonly name: string }) =>
      socketPaths(CONTAINER_RUN_DIR, workload),
  }));
  const mesh = placedMesh(sides, joinedRecords(logs.map(fileRecords)));
  return { mesh, apps, close: async () => void (await Promise.all([...apps.values()].map((app) => app.stop()))) };
}

/** The set of a trust domain in containers: what it says of places holds as it stands. */
export function containerSet(side: MeshSide): PolicySet {
  const { documents, diagnostics } = parseDocuments(sidePolicyFiles(side, ["policies", "containers"]));
  return resolve(documents, { diagnostics });
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
