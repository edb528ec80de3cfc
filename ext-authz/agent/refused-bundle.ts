import type { RefusalReason } from "./refusal.ts";

/** A bundle that is not taken in; the message says what is wrong with it. */
export class RefusedBundle extends Error {
  readonly reason: RefusalReason;
  constructor(reason: RefusalReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
