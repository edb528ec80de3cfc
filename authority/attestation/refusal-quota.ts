const HOUR_MS = 3_600_000;

/** How many refusals of strangers are written down; so that nobody can fill the disk. */
export class RefusalQuota {
  readonly #most: number;
  #left: number;
  #atMs = 0;

  /** At most `most` at once, and as many an hour. */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Takes one; false where the hour's are used up. */
  take(now: Date): boolean {
    const elapsedMs = Math.max(0, now.getTime() - this.#atMs);
    this.#left = Math.min(this.#most, this.#left + (elapsedMs * this.#most) / HOUR_MS);
    this.#atMs += elapsedMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
