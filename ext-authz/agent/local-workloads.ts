import { type NodeWorkloads, nodeWorkloads } from "../../protocol/index.ts";
import { type SpiffeId, tryParseSpiffeId } from "../../spiffe/index.ts";
import { messageOf } from "../agent-error.ts";
import { type SocketPaths, socketPaths } from "../socket-paths.ts";
import type { RefusalReason } from "./refusal.ts";

/** A workload that this agent serves, or why it does not. */
export type LocalWorkload = { readonly workload: NodeWorkloads["workloads"][number] } & (
  | { readonly ok: true; readonly id: SpiffeId; readonly paths: SocketPaths; readonly isolation: "none" | "uid" }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string }
);

/** Who the agent is on its host. */
export interface HostUser {
  /** Undefined where the platform has no uids. */
  readonly uid: number | undefined;
  readonly isRoot: boolean;
}

/** Decides which workloads of the authority's list can be served safely on this host. */
export function localWorkloads(message: NodeWorkloads, runDir: string, user: HostUser): readonly LocalWorkload[] {
  const byUid = groupByUid(message);
  return message.workloads.map((workload): LocalWorkload => {
    const refuse = (reason: RefusalReason, detail: string): LocalWorkload => ({ ok: false, workload, reason, detail });
    const id = tryParseSpiffeId(workload.identity);
    if (!id.ok) return refuse("unreadable", id.message);
    const { uid } = workload;
    const sharers = uid === undefined ? [] : (byUid.get(uid) ?? []).filter((other) => other !== workload);
    // SECURITY: one uid is one trust zone: whoever runs as it can open the sockets of every workload that it owns.
    if (sharers.length > 0 && !(workload.sharedUid && sharers.every((other) => other.sharedUid))) {
      const others = sharers.map((other) => `\`${other.namespace}/${other.name}\``).join(", ");
      return refuse(
        "duplicate-uid",
        `uid ${uid} is also that of ${others}, and not all of them say \`sharedUid: true\``,
      );
    }
    if (uid !== undefined && uid !== user.uid && !user.isRoot) {
      return refuse("foreign-uid", `only an agent that runs as root can give sockets to uid ${uid}`);
    }
    try {
      const isolation = uid !== undefined && uid !== user.uid && sharers.length === 0 ? "uid" : "none";
      return { ok: true, workload, id: id.id, paths: socketPaths(runDir, workload), isolation };
    } catch (error) {
      return refuse("sockets", messageOf(error));
    }
  });
}

function groupByUid(message: NodeWorkloads): Map<number | undefined, NodeWorkloads["workloads"]> {
  const groups = new Map<number | undefined, NodeWorkloads["workloads"]>();
  for (const workload of message.workloads) groups.set(workload.uid, [...(groups.get(workload.uid) ?? []), workload]);
  return groups;
}

/** Reads a kept list; undefined where there is none. */
export function readWorkloads(stored: unknown): NodeWorkloads | undefined {
  const read = nodeWorkloads.safeParse(stored);
  return read.success ? read.data : undefined;
}
