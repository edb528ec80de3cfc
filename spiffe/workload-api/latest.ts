import { SpiffeError } from "../spiffe-error.ts";
import type { Watcher } from "./client.ts";

type State<T> =
  | { readonly kind: "waiting" }
  | { readonly kind: "there"; readonly value: T }
  | { readonly kind: "gone"; readonly error: SpiffeError };

/** What a stream said last, for whoever asks and whoever waits for it. */
export class Latest<T> implements Watcher<T> {
  readonly #what: string;
  readonly #listeners = new Set<() => void>();
  #state: State<T> = { kind: "waiting" };
  #final = false;
  #lastError: SpiffeError | undefined;

  constructor(what: string) {
    this.#what = what;
  }

  /** Throws `SpiffeError` `ERR_SPIFFE_NO_IDENTITY` and others that say why there is nothing. */
  get value(): T {
    if (this.#state.kind === "there") return this.#state.value;
    if (this.#state.kind === "gone") throw this.#state.error;
    throw this.#lastError ?? new SpiffeError("ERR_SPIFFE_UNAVAILABLE", `${this.#what} has not come yet`);
  }

  updated(value: T): void {
    this.#set({ kind: "there", value });
  }

  withdrawn(error: SpiffeError): void {
    this.#lastError = error;
    // Before the first identity, one may still come; a program that starts before it is registered waits for that.
    if (this.#state.kind !== "waiting") this.#set({ kind: "gone", error });
  }

  failed(error: SpiffeError): void {
    this.#lastError = error;
  }

  ended(error: SpiffeError): void {
    this.#final = true;
    this.#set({ kind: "gone", error });
  }

  close(): void {
    this.ended(new SpiffeError("ERR_SPIFFE_CLOSED", "the source is closed"));
    this.#listeners.clear();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for the first value; rejects where none can come, or when the signal ends the wait. */
  first(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (this.#state.kind === "waiting" && !signal?.aborted) return;
        stop();
        signal?.removeEventListener("abort", settle);
        if (this.#state.kind === "there") resolve();
        else reject(this.#reason());
      };
      const stop = this.subscribe(settle);
      signal?.addEventListener("abort", settle, { once: true });
      settle();
    });
  }

  #reason(): SpiffeError {
    if (this.#state.kind === "gone") return this.#state.error;
    return this.#lastError ?? new SpiffeError("ERR_SPIFFE_UNAVAILABLE", `${this.#what} did not come in time`);
  }

  #set(state: State<T>): void {
    if (this.#final && state.kind !== "gone") return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
