import { setTimeout as sleep } from "node:timers/promises";
import type { OpenReport, RevokeResponse } from "../../protocol/index.ts";

/** What a revoked caller has open at one workload. */
export type OpenAtNode = OpenReport["nodes"][number]["open"][number] & { readonly node: string };

/** How far a revocation has come. */
export interface RevocationOutcome {
  /** Nodes where it is in force, and those that have not said so. */
  readonly inForce: readonly string[];
  readonly lagging: readonly string[];
  /** Until the last of the nodes said so, or nobody waited any longer. */
  readonly seconds: number;
  readonly open: readonly OpenAtNode[];
  /** Seconds until nothing was open any more; absent where nobody asked for that, something is, or a node has not said so. */
  readonly severedAfter?: number;
}

/** How to look at it. */
export interface FollowOptions {
  readonly sever: boolean;
  readonly look: () => Promise<OpenReport>;
  readonly signal: AbortSignal;
  /** Milliseconds, of a clock that never runs back. */
  readonly nowMs?: () => number;
}

const POLL_MS = 200;
const IN_FORCE_DEADLINE_MS = 3_000;
/** A sidecar tells of a request once it has lasted five seconds: before that, nothing open is no proof. */
const TOLD_MS = 7_000;
const SEVERED_DEADLINE_MS = 25_000;

/** Waits until nodes that report have a revocation in force, and with `sever` until nothing of its identities is open. */
export async function followRevocation(answer: RevokeResponse, options: FollowOptions): Promise<RevocationOutcome> {
  const { look, sever, signal, nowMs = () => performance.now() } = options;
  const startedMs = nowMs();
  const reached = await until(async () => outcomeOf(answer, await look(), nowMs() - startedMs), {
    done: ({ lagging }) => lagging.length === 0,
    over: () => nowMs() - startedMs > IN_FORCE_DEADLINE_MS || signal.aborted,
    signal,
  });
  if (!sever || reached.inForce.length + reached.lagging.length === 0) return reached;
  const ended = await until(async () => outcomeOf(answer, await look(), nowMs() - startedMs), {
    done: ({ open }) => open.length === 0 && nowMs() - startedMs >= TOLD_MS,
    over: () => nowMs() - startedMs > SEVERED_DEADLINE_MS || signal.aborted,
    signal,
  });
  const { inForce, lagging, open, seconds } = ended;
  const isOver = open.length === 0 && lagging.length === 0;
  return { inForce, lagging, open, seconds: reached.seconds, ...(isOver ? { severedAfter: seconds } : {}) };
}

function outcomeOf({ identities, sequence }: RevokeResponse, { nodes }: OpenReport, elapsedMs: number) {
  const isInForce = ({ revocations }: OpenReport["nodes"][number]): boolean => revocations >= sequence;
  return {
    inForce: nodes.filter(isInForce).map(({ node }) => node),
    lagging: nodes.filter((one) => !isInForce(one)).map(({ node }) => node),
    seconds: elapsedMs / 1000,
    open: nodes.flatMap(({ node, open }) =>
      open.filter(({ caller }) => identities.includes(caller)).map((one) => ({ ...one, node })),
    ),
  };
}

async function until<T>(
  look: () => Promise<T>,
  { done, over, signal }: { done(value: T): boolean; over(): boolean; readonly signal: AbortSignal },
): Promise<T> {
  for (;;) {
    const value = await look();
    if (done(value) || over()) return value;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}
