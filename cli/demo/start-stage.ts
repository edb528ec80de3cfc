import { basename } from "node:path";
import { type DemoApp, type MeshName, meshPolicyFiles, startApp } from "../../compose/index.ts";
import type { LocatedEnvoy } from "../../envoy/index.ts";
import { type LocalMesh, startLocalMesh } from "../local-mesh/index.ts";
import type { Undo } from "../up/undo.ts";
import type { LocalStage } from "./step.ts";

/** Starts a demo mesh as local processes: authority and agent here, one Envoy and one app process a workload. */
export async function startStage(
  meshName: MeshName,
  { folder, envoy, cleanup }: { readonly folder: string; readonly envoy: LocatedEnvoy; readonly cleanup: Undo },
): Promise<LocalStage> {
  const files = meshPolicyFiles(meshName).map(({ path, text }) => ({ path: basename(path), text }));
  const mesh = await startLocalMesh({ files, folder, envoy, namespace: meshName });
  cleanup.add(() => mesh.stop());
  const apps = new Map<string, DemoApp>();
  cleanup.add(async () => {
    await Promise.all([...apps.values()].map((app) => app.stop()));
  });
  const starting = await Promise.allSettled([
    mesh.startSidecars(),
    ...mesh.set.workloads.map(async ({ name }) => {
      apps.set(name, await startApp(appOptions(meshName, mesh, name)));
    }),
  ]);
  const failed = starting.find((one) => one.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return { mesh, apps };
}

function appOptions(meshName: MeshName, mesh: LocalMesh, name: string): Parameters<typeof startApp>[0] {
  const sidecar = mesh.set.workloads.find((workload) => workload.name === name)?.sidecar;
  return {
    mesh: meshName,
    name,
    listen: (sidecar?.listens ?? []).map(({ port }) => mesh.appSocket(name, port)),
    peers: new Map((sidecar?.calls ?? []).map(({ workload }) => [workload.name, mesh.callSocket(name, workload.name)])),
  };
}
