import { setTimeout as sleep } from "node:timers/promises";

/** What an app does by itself, round after round, unless somebody drives it. */
export interface Traffic {
  /** Resolves when no round is under way; none begins until `resume`. */
  pause(): Promise<void>;
  resume(): void;
}

/** An app that does nothing by itself. */
export const NO_TRAFFIC: Traffic = { pause: async () => {}, resume: () => {} };

/** Repeats a round every so many seconds; `tell` hears when rounds begin or cease to go well. */
export function startTraffic(
  round: () => Promise<unknown>,
  everySeconds: number,
  tell: (state: string) => void,
): Traffic {
  let paused = false;
  let underWay = Promise.resolve();
  let last = "";
  const play = async (): Promise<void> => {
    const state = await round().then(
      () => "calls go well",
      (error: unknown) => `a call failed: ${error}`,
    );
    if (state !== last) tell(state);
    last = state;
  };
  const repeat = async (): Promise<void> => {
    for (;;) {
      if (!paused) {
        underWay = play();
        await underWay;
      }
      await sleep(everySeconds * 1000);
    }
  };
  void repeat();
  return {
    pause: async () => {
      paused = true;
      await underWay;
    },
    resume: () => {
      paused = false;
    },
  };
}
