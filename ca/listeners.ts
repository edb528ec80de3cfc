import type { CaChange } from "./certificate-authority.ts";

/** Who is told of what has changed. */
export class Listeners {
  readonly #listeners = new Set<(what: CaChange) => void>();
  readonly #onProblem: (error: unknown) => void;

  constructor(onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
  }

  /** Returns how to unsubscribe. */
  add(listener: (what: CaChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A listener that throws keeps no other one from hearing. */
  tell(what: CaChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(what);
      } catch (error) {
        this.#onProblem(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
