import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { CliError } from "../cli-error.ts";
import { type LocalMesh, startLocalMesh } from "../local-mesh/index.ts";
import { readPolicyFolders } from "../policy-folder.ts";
import { allOf, startApps } from "./apps.ts";
import { type FederatedPlan, type LocalSide, partnersOf, placesOf, planFederated } from "./federated-places.ts";
import { joinedRecords } from "./joined-records.ts";
import { placedMesh } from "./placed-mesh.ts";
import type { StageOptions } from "./start-stage.ts";
import type { FederatedStage } from "./step.ts";
import { until } from "./until.ts";

const FEDERATED_DEADLINE_MS = 20_000;

interface RunningSide {
  readonly side: LocalSide;
  readonly mesh: LocalMesh;
}

/**
 * Starts the two meshes as local processes, each with an authority and an agent of its own. They are given each other's bundle once both
 * run; from then on each asks the other's bundle endpoint.
 */
export async function startFederated(
  options: StageOptions,
): Promise<{ readonly stage: FederatedStage; readonly meshes: readonly LocalMesh[] }> {
  const plan = await planFederated(options.folder);
  const running: RunningSide[] = [];
  for (const side of plan.sides) running.push(await startSide(side, plan, options));
  const meshes = running.map(({ mesh }) => mesh);
  await federate(running, plan);
  const sets = meshes.map(({ set }) => set);
  const starting = startApps("federated", sets, options.cleanup);
  await allOf([...meshes.map((mesh) => mesh.startSidecars()), starting]);
  return { stage: { ...stageOf(meshes), apps: await starting }, meshes };
}

async function startSide(side: LocalSide, plan: FederatedPlan, { envoy, cleanup }: StageOptions): Promise<RunningSide> {
  mkdirSync(side.folder);
  const mesh = await startLocalMesh({
    files: side.documents,
    folder: side.folder,
    envoy,
    namespace: side.namespace,
    addresses: plan.addresses,
    places: placesOf(side, plan),
  });
  cleanup.add(() => mesh.stop());
  return { side, mesh };
}

/** Hands each side the bundle of the other, and waits until each has had it from the other's endpoint as well. */
async function federate(running: readonly RunningSide[], plan: FederatedPlan): Promise<void> {
  for (const { side, mesh } of running) {
    for (const other of running) {
      if (other.side === side) continue;
      const bundle = formatTrustBundle(other.mesh.mesh.ca.trustBundle());
      const { path, text } = partnersOf(side, plan, bundle);
      writeFileSync(join(mesh.overlayDir, path), text);
    }
  }
  await Promise.all(running.map(({ mesh }) => federated(mesh)));
}

async function federated({ mesh, trustDomain }: LocalMesh): Promise<void> {
  const told = await until(
    () => mesh.authority.status().federation?.[0],
    (one) => one?.fetchedAt !== undefined,
    FEDERATED_DEADLINE_MS,
  );
  if (told?.fetchedAt !== undefined) return;
  throw new CliError("ERR_CLI_NO_AUTHORITY", `\`${trustDomain}\` has no bundle of its partner: ${told?.problem}`);
}

function stageOf([store, pay]: readonly LocalMesh[]): Omit<FederatedStage, "apps"> {
  if (store === undefined || pay === undefined) throw new TypeError("a federated mesh has two sides");
  const sides = [store, pay].map((side) => ({
    set: side.set,
    sockets: ({ name }: { readonly name: string }) => side.sockets(name),
  }));
  return {
    mesh: placedMesh(sides, joinedRecords([store.records, pay.records])),
    storeKeys: join(store.stateDir, "authority", "keys"),
    provider: {
      files: readPolicyFolders([pay.policyDir, pay.overlayDir], pay.policyDir),
      publish: async (files) => void (await pay.mesh.publish(files)),
    },
  };
}
