/** What the authority has done since it was opened; for metrics. */
export interface CaCounters {
  readonly issued: number;
  readonly refused: number;
  /** Join tokens that came a second time: each one is an alarm. */
  readonly joinTokenReplays: number;
}

/** Counts. */
export interface Counting {
  add(name: keyof CaCounters, by?: number): void;
  read(): CaCounters;
}

export function startCounting(): Counting {
  const counters = { issued: 0, refused: 0, joinTokenReplays: 0 };
  return {
    add: (name, by = 1) => {
      counters[name] += by;
    },
    read: () => ({ ...counters }),
  };
}
