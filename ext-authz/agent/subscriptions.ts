import type { NodeWorkloads, SignedEnvelope, TrustBundles } from "../../protocol/index.ts";
import type { AuthorityClient, Conditional, Fetched } from "./authority-client.ts";
import { follow, type Taken } from "./follow.ts";
import type { Timers } from "./timers.ts";

/** What becomes of each document that the authority publishes. */
export interface Takers {
  readonly trustBundles: (message: TrustBundles) => Promise<Taken>;
  readonly workloads: (message: NodeWorkloads) => Promise<Taken>;
  readonly revocations: (envelope: SignedEnvelope) => Promise<Taken>;
  readonly bundle: (envelope: SignedEnvelope) => Promise<Taken>;
}

export interface SubscriptionOptions {
  /** The client with the agent's identity. Throws while there is none. */
  readonly client: () => AuthorityClient;
  readonly takers: Takers;
  readonly answered: () => void;
  readonly failed: (error: unknown, message: string) => void;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/** Running subscriptions. */
export interface Subscriptions {
  /** Every document was asked for once, whether or not it came. */
  readonly firstRound: Promise<void>;
  /** All of them have ended, after the signal. */
  readonly ended: Promise<void>;
}

/** Follows the authority's four documents by long poll. */
export function subscribe(options: SubscriptionOptions): Subscriptions {
  const { client, takers } = options;
  const followed = [
    followOnce(options, (conditional) => client().trustBundles(conditional), takers.trustBundles),
    followOnce(options, (conditional) => client().workloads(conditional), takers.workloads),
    followOnce(options, (conditional) => client().revocations(conditional), takers.revocations),
    followOnce(options, (conditional) => client().bundle(conditional), takers.bundle),
  ];
  return {
    firstRound: Promise.all(followed.map(({ first }) => first)).then(() => undefined),
    ended: Promise.all(followed.map(({ ended }) => ended)).then(() => undefined),
  };
}

function followOnce<T>(
  options: SubscriptionOptions,
  fetch: (conditional: Conditional) => Promise<Fetched<T>>,
  take: (value: T) => Promise<Taken>,
): { readonly first: Promise<void>; readonly ended: Promise<void> } {
  let settle: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const ended = follow<T>({
    fetch,
    take: async (value) => {
      try {
        return await take(value);
      } finally {
        settle();
      }
    },
    answered: options.answered,
    failed: (error, message) => {
      options.failed(error, message);
      settle();
    },
    timers: options.timers,
    signal: options.signal,
  });
  return { first, ended: ended.finally(() => settle()) };
}
