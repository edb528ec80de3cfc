import { setImmediate } from "node:timers/promises";
import type { CaContext } from "./context.ts";
import type { Counting } from "./counters.ts";
import type { Unrecorded } from "./issuance.ts";
import { appendToLedger, type LedgerHead, type LedgerNote, ledgerHead } from "./ledger.ts";
import { conclude, notesOf, type Settling, type Work } from "./settling.ts";
import type { CaTransaction } from "./tables.ts";

/** What a group stands on. */
export interface GroupParts {
  readonly context: Pick<CaContext, "clock" | "db" | "reached">;
  readonly counters: Counting;
  /** Runs work that nothing else may run beside; what it rejects with, the whole group is told. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Told, while nothing else runs, that a commit has brought the ledger from one head to another. */
  appended(from: LedgerHead, to: LedgerHead): Promise<void>;
}

/** One request that waits for its turn. */
interface Waiting {
  /** Never rejects: what the work throws becomes its answer. */
  decide(trx: CaTransaction): Promise<Decided>;
  fail(error: unknown): void;
}

/** One request that has been decided on and waits for the disk. */
interface Decided {
  readonly notes: readonly LedgerNote[];
  readonly issued: boolean;
  answer(): void;
}

/** So that nobody waits for more than a few hundred signatures of others. */
const MAX_REQUESTS = 64;

/**
 * Settles requests that are there at the same time in one transaction: the disk is what a certificate waits for, and one wait serves all.
 *
 * INVARIANT: nobody is answered before the ledger's entries of the whole group are on the disk; a request that throws writes nothing and
 * leaves the others be; a group whose commit fails has issued nothing to anybody. Work given here only reads.
 */
export class SettlingGroup implements Settling {
  readonly #parts: GroupParts;
  /** Who may still be joined. */
  #open: Waiting[] | undefined;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  settle<T>(work: Work<T>): Promise<readonly Unrecorded<T>[]> {
    return new Promise((resolve, reject) => {
      this.#open ??= this.#begin();
      const group = this.#open;
      group.push({ fail: reject, decide: (trx) => this.#decide(trx, work, resolve, reject) });
      if (group.length === MAX_REQUESTS) this.#close(group);
    });
  }

  /** Whoever asks from now on comes after what the caller is about to do. */
  close(): void {
    this.#open = undefined;
  }

  async #decide<T>(
    trx: CaTransaction,
    work: Work<T>,
    resolve: (issued: readonly Unrecorded<T>[]) => void,
    reject: (error: unknown) => void,
  ): Promise<Decided> {
    try {
      const outcome = await work(trx);
      const answer = (): void => {
        try {
          resolve(conclude(this.#parts.counters, outcome));
        } catch (error) {
          reject(error);
        }
      };
      return { notes: notesOf(outcome), issued: outcome.kind === "issued", answer };
    } catch (error) {
      return { notes: [], issued: false, answer: () => reject(error) };
    }
  }

  /** A new group, in the queue behind all that was asked for so far. */
  #begin(): Waiting[] {
    const group: Waiting[] = [];
    const run = async (): Promise<readonly Decided[]> => {
      // Whoever has asked by the end of this round of events is in it.
      await setImmediate();
      this.#close(group);
      return this.#commit(group);
    };
    const told = (decided: readonly Decided[]): void => {
      for (const one of decided) one.answer();
    };
    const failed = (error: unknown): void => {
      this.#close(group);
      for (const one of group) one.fail(error);
    };
    void this.#parts.exclusively(run).then(told, failed);
    return group;
  }

  #close(group: readonly Waiting[]): void {
    if (this.#open === group) this.#open = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<readonly Decided[]> {
    const { appended, context } = this.#parts;
    const { decided, from, to } = await context.db.transaction().execute(async (trx) => {
      const from = await ledgerHead(trx);
      const decided: Decided[] = [];
      for (const one of group) decided.push(await one.decide(trx));
      if (decided.some((one) => one.issued)) context.reached("signed");
      const notes = decided.flatMap((one) => one.notes);
      return { decided, from, to: await appendToLedger(trx, context.clock(), notes, from) };
    });
    if (decided.some((one) => one.issued)) context.reached("recorded");
    await appended(from, to);
    return decided;
  }
}
