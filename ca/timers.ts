import type { Lifetimes } from "./lifetimes.ts";

/** Where renewals get their wake-ups from; tests give their own. */
export interface Timers {
  /** Calls back once after `ms`; must not keep the process alive. */
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/** Node's own, which let the process end. */
export const systemTimers: Timers = {
  set: (callback, ms) => setTimeout(callback, ms).unref(),
  clear: (handle) => {
    if (isTimeout(handle)) clearTimeout(handle);
  },
};

function isTimeout(handle: unknown): handle is NodeJS.Timeout {
  return typeof handle === "object" && handle !== null && "unref" in handle;
}

/** The most time between two looks at what is due: a suspended machine's timers stand still while its clock goes on. */
export const MAX_WAIT_MS = 30_000;
const MIN_WAIT_MS = 100;
/** The most time between two looks while somebody waits for the outcome. */
const HURRY_MS = 1_000;
/** Looks at what is due in this many parts of the shortest life that is renewed. */
const LOOKS_A_LIFE = 20;

/** Looks again and again at what is due, one look after the other has ended. What is due is told by the clock alone. */
export class RenewalTimer {
  readonly #timers: Timers;
  readonly #look: () => Promise<void>;
  readonly #waitMs: number;
  readonly #hurry: () => boolean;
  #handle: unknown;
  #stopped = false;
  #looking = false;

  /** While `hurry` says so, it looks every second at least. */
  constructor(timers: Timers, lifetimes: Lifetimes, look: () => Promise<void>, hurry: () => boolean = () => false) {
    this.#timers = timers;
    this.#hurry = hurry;
    this.#look = look;
    const shortest = Math.min(lifetimes.bundleSeconds, lifetimes.signerSeconds, lifetimes.intermediateSeconds);
    this.#waitMs = Math.max(MIN_WAIT_MS, Math.min(MAX_WAIT_MS, (shortest * 1000) / LOOKS_A_LIFE));
    this.#set();
  }

  /** Waits anew: somebody may have begun to wait for the outcome. */
  again(): void {
    if (this.#stopped || this.#looking) return;
    this.#timers.clear(this.#handle);
    this.#set();
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.clear(this.#handle);
  }

  #set(): void {
    const waitMs = this.#hurry() ? Math.min(this.#waitMs, HURRY_MS) : this.#waitMs;
    this.#handle = this.#timers.set(() => void this.#run(), waitMs);
  }

  async #run(): Promise<void> {
    this.#looking = true;
    await this.#look();
    this.#looking = false;
    if (!this.#stopped) this.#set();
  }
}
