import { type Finding, finding } from "../../findings/index.ts";
import type { Call, Workload } from "../../model/index.ts";
import { nameOf, type Subject } from "../subject.ts";
import { callerLine } from "../synthetic.ts";

/** Calls that a sidecar declares and of which no request gets through. */
export function callNotAllowed(subject: Subject): readonly Finding[] {
  return subject.set.workloads.flatMap((caller) =>
    (caller.sidecar?.calls ?? []).flatMap((call) => (isDenied(caller, call, subject) ? [report(caller, call)] : [])),
  );
}

function isDenied(caller: Workload, { workload, port }: Call, subject: Subject): boolean {
  const view = subject.views.find(
    ({ destination, stage }) => stage === "live" && nameOf(destination) === nameOf(workload),
  );
  if (view === undefined) return false;
  const call = callerLine(caller, port);
  return subject.ask({ view, all: [call], none: view.denies, some: view.allows }).kind === "none";
}

function report(caller: Workload, { workload, port, span }: Call): Finding {
  return finding({
    id: "call-not-allowed",
    severity: "warning",
    about: [nameOf(caller), nameOf(workload), String(port)],
    span,
    message: `\`${nameOf(caller)}\` says that it calls \`${nameOf(workload)}\` at ${port}, and nothing that it sends there is allowed`,
    reason: "either a policy is missing, or the sidecar opens a way that nobody needs",
    remedy: "allow what is needed in a policy of the workload called, or remove the call",
  });
}
