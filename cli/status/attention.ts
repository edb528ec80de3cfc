import type { AuthorityStatus } from "../../protocol/index.ts";
import { age } from "../screen.ts";
import { federationAttention } from "./federation-lines.ts";

type NodeStatus = AuthorityStatus["nodes"][number];

/** A node that has not called for this long is taken for away: agents hold a long poll open nearly all the time. */
const SILENT_MS = 5 * 60_000;

/** What needs somebody's attention, one sentence each; empty when all is well. */
export function attentionOf(status: AuthorityStatus, now: Date): readonly string[] {
  const { refused, bundle } = status;
  return [
    ...(refused === undefined ? [] : ["the newest edit is refused; an older revision is in force"]),
    ...(bundle === undefined ? ["nothing was published yet: every request is denied"] : []),
    ...(bundle !== undefined && Date.parse(bundle.expiresAt) <= now.getTime() ? ["the bundle has expired"] : []),
    ...status.nodes.flatMap((node) => nodeAttention(node, status, now)),
    ...federationAttention(status, now),
  ];
}

function nodeAttention(node: NodeStatus, status: AuthorityStatus, now: Date): readonly string[] {
  if (!node.enrolled) return [];
  const seen = node.lastSeen === undefined ? undefined : new Date(node.lastSeen);
  if (seen !== undefined && now.getTime() - seen.getTime() > SILENT_MS) {
    return [`node \`${node.node}\` has not called for ${age(seen, now)}`];
  }
  return isBehind(node, status) ? [`node \`${node.node}\` decides by an older revision`] : [];
}

/** Whether a node says that it has applied less than is in force. */
export function isBehind(node: NodeStatus, { bundle, revocations }: AuthorityStatus): boolean {
  if (bundle === undefined || node.epoch === undefined || node.revision === undefined) return false;
  const older = node.epoch < bundle.epoch || (node.epoch === bundle.epoch && node.revision < bundle.revision);
  return older || (node.revocations ?? 0) < revocations.sequence;
}
