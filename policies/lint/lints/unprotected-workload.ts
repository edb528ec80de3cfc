import { type Finding, finding } from "../../findings/index.ts";
import type { Workload } from "../../model/index.ts";
import { nameOf, type Subject } from "../subject.ts";

/** Workloads that listen and that no live policy protects. */
export function unprotectedWorkload({ set }: Subject): readonly Finding[] {
  const live = set.policies.filter(({ stage }) => stage === "live");
  const isProtected = new Set(live.flatMap(({ destinations }) => destinations));
  return set.workloads
    .filter((workload) => listens(workload) && !isProtected.has(workload.identity.toString()))
    .map((workload) => {
      const open = workload.mode === "monitor";
      return finding({
        id: "unprotected-workload",
        severity: open ? "warning" : "note",
        about: [nameOf(workload)],
        span: workload.span,
        message: `no policy protects \`${nameOf(workload)}\``,
        reason: open
          ? "it is in monitor mode, so every member of the mesh may do everything"
          : "every request to it is denied, so either it is of no use or its policy is missing",
        remedy: "write an AccessPolicy whose `protects` selects it, or remove its listeners",
      });
    });
}

/** A workload without `sidecar` brings its own Envoy, and may listen anywhere. */
function listens({ sidecar }: Workload): boolean {
  return sidecar === undefined || sidecar.listens.length > 0;
}
