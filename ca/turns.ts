import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import type { HighWaterKeeper } from "./high-water.ts";
import { followHead, type LedgerHead } from "./ledger.ts";
import { startQueue } from "./queue.ts";
import type { Revocations } from "./revocations.ts";

/** What the authority's work is kept in order by. */
export interface TurnParts {
  readonly context: Pick<CaContext, "db">;
  /** The ledger's head when it was opened. */
  readonly head: LedgerHead;
  readonly revocations: Pick<Revocations, "current">;
  readonly highWater: HighWaterKeeper;
  readonly onProblem: (error: unknown) => void;
}

/** INVARIANT: whatever decides on state and changes it runs alone, so that nothing is issued past a revocation. */
export class Turns {
  readonly #parts: TurnParts;
  readonly #queue = startQueue();
  #head: LedgerHead;
  #closed = false;

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.#head = parts.head;
  }

  /** The ledger's head, as far as it has been followed; to be held against the ledger itself. */
  get head(): LedgerHead {
    return this.#head;
  }

  /** Runs work in its turn. `ERR_CA_CLOSED` */
  take<T>(work: () => Promise<T>): Promise<T> {
    return this.takeAppending(async () => {
      this.#head = await followHead(this.#parts.context.db, this.#head);
      return work();
    });
  }

  /** The same for work that tells by `appended` how far it has brought the ledger. */
  takeAppending<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#closed) throw new CaError("ERR_CA_CLOSED", "the certificate authority has been closed");
      const result = await work();
      await this.note(false);
      return result;
    });
  }

  /** An append to the very entry that was known says that it is still there; after any other, the store is asked. */
  async appended(from: LedgerHead, to: LedgerHead): Promise<void> {
    const known = from.sequence === this.#head.sequence && from.hash === this.#head.hash;
    this.#head = known ? to : await followHead(this.#parts.context.db, this.#head);
  }

  /** Keeps the high-water mark; where it cannot be written, the work that it is about is done all the same. */
  async note(now: boolean): Promise<void> {
    const { highWater, onProblem, revocations } = this.#parts;
    await highWater.note(revocations.current().document, now).catch(onProblem);
  }

  /** Ends the work in hand; none begins from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.idle();
    await this.note(true);
  }
}
