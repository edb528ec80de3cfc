/** Bounds of the held requests. */
export interface WaitingRoomOptions {
  /** Held requests in all. */
  readonly maxWaiting: number;
  /** Held requests of one caller. */
  readonly maxPerCaller: number;
}

/** One request to hold. */
export interface Wait {
  /** Who waits; bounds are counted per caller. */
  readonly caller: string;
  readonly timeoutMs: number;
  /** Whether there is something new; asked at once and after every change. */
  changed(): boolean;
  /** Ends the wait early, e.g. when the client hangs up. */
  readonly signal?: AbortSignal;
}

interface Guest {
  readonly wait: Wait;
  readonly leave: () => void;
}

/**
 * Where long polls wait for a change. Beyond its bounds nobody is held: the request is answered at once, which costs the client a round
 * trip and the authority nothing.
 */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions;
  readonly #guests = new Set<Guest>();
  readonly #perCaller = new Map<string, number>();
  #closed = false;

  constructor(options: WaitingRoomOptions) {
    this.#options = options;
  }

  /** How many requests are held. */
  get size(): number {
    return this.#guests.size;
  }

  /** Resolves when there is something new, the time is up, the signal fires, the room is full or it closes. */
  hold(wait: Wait): Promise<void> {
    if (
      this.#closed ||
      wait.timeoutMs <= 0 ||
      wait.changed() ||
      wait.signal?.aborted === true ||
      this.#full(wait.caller)
    ) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const guest: Guest = { wait, leave: () => leave() };
      const timer = setTimeout(() => leave(), wait.timeoutMs);
      const onAbort = (): void => leave();
      wait.signal?.addEventListener("abort", onAbort, { once: true });
      this.#enter(guest);
      const leave = (): void => {
        if (!this.#guests.delete(guest)) return;
        this.#count(wait.caller, -1);
        clearTimeout(timer);
        wait.signal?.removeEventListener("abort", onAbort);
        resolve();
      };
    });
  }

  /** Lets those go for whom something is new. */
  wake(): void {
    for (const guest of [...this.#guests]) if (guest.wait.changed()) guest.leave();
  }

  /** Lets everybody go, and holds nobody from now on. */
  close(): void {
    this.#closed = true;
    for (const guest of [...this.#guests]) guest.leave();
  }

  #full(caller: string): boolean {
    return (
      this.#guests.size >= this.#options.maxWaiting || (this.#perCaller.get(caller) ?? 0) >= this.#options.maxPerCaller
    );
  }

  #enter(guest: Guest): void {
    this.#guests.add(guest);
    this.#count(guest.wait.caller, 1);
  }

  #count(caller: string, by: number): void {
    const next = (this.#perCaller.get(caller) ?? 0) + by;
    if (next <= 0) this.#perCaller.delete(caller);
    else this.#perCaller.set(caller, next);
  }
}
