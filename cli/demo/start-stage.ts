import { basename } from "node:path";
import { type MeshSide, meshSides, sidePolicyFiles } from "../../compose/index.ts";
import type { LocatedEnvoy } from "../../envoy/index.ts";
import { startLocalMesh } from "../local-mesh/index.ts";
import type { PolicyText } from "../policy-folder.ts";
import type { Undo } from "../up/undo.ts";
import { allOf, startApps } from "./apps.ts";
import type { LocalStage } from "./step.ts";

/** What a demo mesh starts with. */
export interface StageOptions {
  /** A folder of the mesh's own, with a short path. */
  readonly folder: string;
  readonly envoy: LocatedEnvoy;
  /** Ends, in reverse order, what was started. */
  readonly cleanup: Undo;
}

/** Starts a demo mesh of one trust domain as local processes: authority and agent here, one Envoy and one app process a workload. */
export async function startStage(
  meshName: "shop" | "boutique",
  { folder, envoy, cleanup }: StageOptions,
): Promise<LocalStage> {
  const files = meshSides(meshName).flatMap(documentsOf);
  const mesh = await startLocalMesh({ files, folder, envoy, namespace: meshName });
  cleanup.add(() => mesh.stop());
  const starting = startApps(meshName, [mesh.set], cleanup);
  await allOf([mesh.startSidecars(), starting]);
  return { mesh, apps: await starting };
}

/** The documents of a trust domain without their places, as they lie in a folder of policies. */
export function documentsOf(side: MeshSide): readonly PolicyText[] {
  return sidePolicyFiles(side).map(({ path, text }) => ({ path: basename(path), text }));
}
