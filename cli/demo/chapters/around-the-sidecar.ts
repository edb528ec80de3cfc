import type { CallResult } from "../../../compose/index.ts";
import { appOf, type Chapter, type Finding, type LocalStage, type Step } from "../step.ts";

const BLOCKED = /EACCES|EPERM|ENOENT/;

/**
 * Attempts that only the operating system can stop: processes of one user id and one network namespace are one trust zone.
 * Each is made for real; what comes through is told, never hidden.
 */
export const aroundTheSidecar: Chapter<LocalStage> = {
  title: "Ways around the sidecar",
  steps: [
    attempt("orders' own app socket, past its sidecar", (stage) =>
      appOf(stage, "intruder").http({
        socket: stage.mesh.appSocket("orders", 8443),
        method: "GET",
        path: "/admin/users",
      }),
    ),
    attempt("web's outbound listener, to speak as web", (stage) =>
      appOf(stage, "intruder").http({
        socket: stage.mesh.callSocket("web", "orders"),
        method: "GET",
        path: "/orders/42",
      }),
    ),
    {
      actor: "intruder",
      title: "web's Workload API socket, to become web",
      play: async (stage) => {
        const taken = await appOf(stage, "intruder")
          .identity(stage.mesh.sockets("web").workload)
          .then(() => "reached", String);
        return judge(taken === "reached" ? undefined : taken);
      },
    },
  ],
};

function attempt(title: string, call: (stage: LocalStage) => Promise<CallResult>): Step<LocalStage> {
  return {
    actor: "intruder",
    title,
    play: async (stage) => {
      const result = await call(stage);
      return judge(result.status === undefined ? (result.error ?? "no answer") : undefined);
    },
  };
}

function judge(refusal: string | undefined): Finding {
  if (refusal === undefined) {
    return { outcome: "not-isolated", happened: "reached", reason: "all demo processes run under one user id" };
  }
  const expected = BLOCKED.test(refusal);
  return { outcome: expected ? "as-expected" : "unexpected", happened: "refused", reason: refusal };
}
