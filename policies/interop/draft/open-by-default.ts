import type { SourcePlace } from "../report.ts";
import type { DraftPolicy } from "./draft.ts";
import { everyCaller, everyRequest, GRPC_BY_SERVICE } from "./everything.ts";
import type { Names } from "./names.ts";
import type { Notes } from "./notes.ts";
import { type KnownWorkload, nameOf, type World } from "./world.ts";

/** What the source leaves open. */
export interface OpenByDefault {
  /** In the source's words: `no ALLOW policy selects the workload`. */
  readonly construct: string;
  readonly place: SourcePlace;
  /** Begins the policies' names. */
  readonly prefix: string;
  /** Whether a registered workload is closed by some policy. */
  readonly isClosed: (workload: KnownWorkload) => boolean;
}

/** Workloads that are open by default in the source get a rule that says so; without a registry none is opened. */
export function openByDefault(open: OpenByDefault, world: World, names: Names, notes: Notes): readonly DraftPolicy[] {
  const { construct, place, prefix, isClosed } = open;
  if (world.workloads.length === 0) {
    notes.add(
      place,
      construct,
      "narrower",
      "such workloads are open in the source; without a registry none is opened here",
      {
        scope: "unregistered",
      },
    );
    return [];
  }
  const workloads = world.workloads.filter((workload) => !isClosed(workload));
  if (workloads.length === 0) return [];
  const list = workloads.map(nameOf).join(", ");
  notes.add(place, construct, "exact", `open by default in the source, and written as rules of their own: ${list}`);
  notes.add(place, construct, "narrower", GRPC_BY_SERVICE, { scope: "grpc" });
  return workloads.map((workload) => ({
    namespace: workload.namespace,
    name: names.take(`${prefix}-default-${workload.name}`),
    protects: { workload: workload.name },
    allow: [
      {
        name: "open-by-default",
        from: everyCaller(world),
        requests: everyRequest(world),
        reason: `${construct} in the source`,
      },
    ],
    deny: [],
  }));
}
