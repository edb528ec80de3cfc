import { type DemoApp, type MeshName, startApp } from "../../compose/index.ts";
import type { PolicySet, Workload } from "../../policies/index.ts";
import type { Undo } from "../up/undo.ts";
import { peersOf, unixPath } from "./placed-mesh.ts";

/** Starts one app process a workload, each where its set says; they end with `cleanup`, those of a failed start too. */
export async function startApps(
  mesh: MeshName,
  sets: readonly PolicySet[],
  cleanup: Undo,
): Promise<ReadonlyMap<string, DemoApp>> {
  const apps = new Map<string, DemoApp>();
  cleanup.add(async () => {
    await Promise.all([...apps.values()].map((app) => app.stop()));
  });
  await allOf(
    sets.flatMap(({ workloads }) =>
      workloads.map(async (workload) => {
        apps.set(workload.name, await startApp(appOptions(mesh, workload)));
      }),
    ),
  );
  return apps;
}

/** Waits for all of them, then rejects with the first failure: nothing goes on starting behind a cleanup's back. */
export async function allOf(starting: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(starting);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

function appOptions(mesh: MeshName, { name, sidecar }: Workload): Parameters<typeof startApp>[0] {
  if (sidecar === undefined) return { mesh, name, listen: [], peers: new Map() };
  return {
    mesh,
    name,
    listen: sidecar.listens.map(({ app }) => unixPath(app)),
    peers: new Map([...peersOf(sidecar)].map(([peer, local]) => [peer, unixPath(local)])),
  };
}
