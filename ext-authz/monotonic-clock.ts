/** Where the wall clock and the machine's own count of time come from. */
export interface ClockSources {
  /** Wall clock; may be set back and forth by whoever administers the host. */
  readonly wall: () => Date;
  /** Milliseconds since any fixed instant; never set. */
  readonly monotonicMs: () => number;
}

/**
 * The agent's clock: never runs back below an instant that it has decided at or was told (docs/architecture.md, "Restart").
 * While the wall clock is behind, time goes on from the highest known instant at the machine's own pace, so that a clock that
 * is set back cannot bring an expired bundle back to life, nor hold one at the edge of its expiry.
 */
export class MonotonicClock {
  readonly #sources: ClockSources;
  #floorMs: number;
  #floorAtMonotonicMs: number;

  constructor(sources: ClockSources, floor?: Date) {
    this.#sources = sources;
    this.#floorMs = floor?.getTime() ?? Number.NEGATIVE_INFINITY;
    this.#floorAtMonotonicMs = sources.monotonicMs();
  }

  /** The present instant, in milliseconds since the epoch. */
  nowMs(): number {
    const monotonicMs = this.#sources.monotonicMs();
    const fromFloor = this.#floorMs + Math.max(0, monotonicMs - this.#floorAtMonotonicMs);
    const nowMs = Math.max(this.#sources.wall().getTime(), fromFloor);
    this.#floorMs = nowMs;
    this.#floorAtMonotonicMs = monotonicMs;
    return nowMs;
  }

  now(): Date {
    return new Date(this.nowMs());
  }

  /** Raises the clock to an instant that a verified document proves to have passed; an earlier one changes nothing. */
  told(at: Date): void {
    const toldMs = at.getTime();
    if (!Number.isFinite(toldMs) || toldMs <= this.nowMs()) return;
    this.#floorMs = toldMs;
    this.#floorAtMonotonicMs = this.#sources.monotonicMs();
  }

  /** How far the wall clock is behind, in milliseconds; 0 where it is not. */
  wallBehindMs(): number {
    return Math.max(0, this.nowMs() - this.#sources.wall().getTime());
  }
}

/** The system's clock. */
export function systemClock(wall: () => Date = () => new Date()): ClockSources {
  return { wall, monotonicMs: () => performance.now() };
}
