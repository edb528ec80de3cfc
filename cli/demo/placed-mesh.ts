import type { PolicySet, Sidecar } from "../../policies/index.ts";
import type { StageMesh } from "./step.ts";

/** One trust domain of a mesh that runs: its set, with every place in it, and what the set does not say. */
export interface PlacedSet {
  readonly set: PolicySet;
  readonly sockets: (workload: { readonly namespace: string; readonly name: string }) => { readonly workload: string };
}

/** The mesh of a stage, from the sets that it runs on; workloads go by their names, which no two of them share. */
export function placedMesh(sides: readonly PlacedSet[], records: StageMesh["records"]): StageMesh {
  const placed = (name: string) => {
    for (const { set, sockets } of sides) {
      const workload = set.workloads.find((each) => each.name === name);
      if (workload?.sidecar !== undefined) return { workload, sidecar: workload.sidecar, sockets };
    }
    throw new TypeError(`the mesh has no workload \`${name}\``);
  };
  return {
    records,
    key: (name) => `${placed(name).workload.namespace}/${name}`,
    address: (name) => placed(name).sidecar.address,
    sockets: (name) => placed(name).sockets(placed(name).workload),
    appSocket: (name, port) => unixPath(placed(name).sidecar.listens.find((listen) => listen.port === port)?.app),
    callSocket: (name, callee) => unixPath(peersOf(placed(name).sidecar).get(callee)),
  };
}

/** Where a workload's app finds its peers, by their names: those of its own trust domain and of others. */
export function peersOf({ calls, foreignCalls = [] }: Sidecar): ReadonlyMap<string, string> {
  return new Map([
    ...calls.map(({ workload, local }) => [workload.name, local] as const),
    ...foreignCalls.map(({ identity, local }) => [identity.path.split("/").at(-1) ?? "", local] as const),
  ]);
}

/** The path of `unix:/path`. */
export function unixPath(address: string | undefined): string {
  if (address?.startsWith("unix:") !== true) throw new TypeError(`\`${address}\` is not a unix socket`);
  return address.slice("unix:".length);
}
