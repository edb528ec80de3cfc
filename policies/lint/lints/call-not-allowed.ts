import { type Finding, finding } from "../../findings/index.ts";
import type { Call, Workload } from "../../model/index.ts";
import type { View } from "../line-at.ts";
import { nameOf, type Subject } from "../subject.ts";
import { callerLine } from "../synthetic.ts";

/** Calls that a sidecar declares and of which no request gets through. */
export function callNotAllowed(subject: Subject): readonly Finding[] {
  const live = subject.views.filter(({ stage }) => stage === "live");
  const views = new Map(live.map((view) => [nameOf(view.destination), view]));
  return subject.set.workloads.flatMap((caller) =>
    (caller.sidecar?.calls ?? []).flatMap((call) =>
      isDenied(caller, call, views.get(nameOf(call.workload)), subject) ? [report(caller, call)] : [],
    ),
  );
}

function isDenied(caller: Workload, { port }: Call, view: View | undefined, subject: Subject): boolean {
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
