import { type Finding, finding } from "../../findings/index.ts";
import { nameOf, type Subject } from "../subject.ts";

/** Probe listeners: the one way past authorization. */
export function probeExemption({ set }: Subject): readonly Finding[] {
  return set.workloads.flatMap((workload) => {
    const probes = workload.sidecar?.probes;
    if (probes === undefined) return [];
    const paths = probes.paths.map((path) => `\`${path}\``).join(", ");
    return [
      finding({
        id: "probe-exemption",
        severity: "note",
        about: [nameOf(workload)],
        span: workload.span,
        message: `\`${nameOf(workload)}\` answers GET and HEAD of ${paths} on port ${probes.port} without authorization`,
        reason: "probes are the one exemption there is: whoever reaches the port gets these answers",
        remedy: "keep the paths free of anything that outsiders must not learn",
      }),
    ];
  });
}
