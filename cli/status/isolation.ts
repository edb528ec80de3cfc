import type { AuthorityStatus } from "../../protocol/index.ts";

type WorkloadStatus = NonNullable<AuthorityStatus["workloads"]>[number];

/**
 * What keeps workloads of one host apart. `none`: two of them may run under one uid in one network namespace, and are one trust zone;
 * `uid`: each has a uid of its own. `netns` is for workloads of which each has a network namespace of its own, which only those who put
 * them there can know.
 */
export type Isolation = "none" | "uid" | "netns";

/** The weakest isolation among the workloads. */
export function isolationOf(workloads: readonly Pick<WorkloadStatus, "uid">[]): Isolation {
  const uids = workloads.flatMap(({ uid }) => (uid === undefined ? [] : [uid]));
  return uids.length === workloads.length && new Set(uids).size === uids.length && uids.length > 0 ? "uid" : "none";
}

/** The isolation in words. */
export function isolationNote(isolation: Isolation): string {
  switch (isolation) {
    case "none":
      return "processes of one uid and one network namespace are one trust zone; `attest: [{ socket: { uid } }]` separates them";
    case "uid":
      return "each workload's sockets belong to a uid of its own; ports on loopback are still shared";
    case "netns":
      return "each workload has a network namespace of its own";
    default:
      return isolation satisfies never;
  }
}
