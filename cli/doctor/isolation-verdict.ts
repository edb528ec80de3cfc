import type { Workload } from "../../policies/index.ts";
import { fullName } from "../explain/find-workload.ts";
import type { Verdict } from "./verdict.ts";

/** Which workloads may use each other's sockets: those without a uid of their own. */
export function isolationVerdict(workloads: readonly Workload[]): readonly Verdict[] {
  if (workloads.length < 2) return [];
  const uids = workloads.map(
    (workload) => workload.attest.flatMap((one) => (one.kind === "socket" ? [one.uid] : []))[0],
  );
  const without = workloads.filter((_, index) => uids[index] === undefined).map(fullName);
  const shared = workloads
    .filter((_, index) => uids[index] !== undefined && uids.indexOf(uids[index]) !== uids.lastIndexOf(uids[index]))
    .map(fullName);
  const together = [...without, ...shared];
  const base = { id: "isolation", subject: "host" };
  if (together.length === 0) return [{ ...base, state: "ok", message: "each workload has a uid of its own" }];
  return [
    {
      ...base,
      state: "note",
      message: `workloads that run on one host under one uid are one trust zone: ${together.slice(0, 5).join(", ")}${together.length > 5 ? ` and ${together.length - 5} more` : ""}`,
      remedy: "give each a uid (`attest: [{ socket: { uid } }]`), or a network namespace and a mount of its own",
    },
  ];
}
