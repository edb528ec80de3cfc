import { messageOf } from "./agent-error.ts";
import { decisionRecord, type LogRecord, type Observed } from "./decision-record.ts";
import { RotatingFile } from "./log-file.ts";
import { RingBuffer } from "./ring-buffer.ts";

/** Where records go, beside the metrics. */
export interface DecisionLogOptions {
  /** JSON lines, rotated by size. */
  readonly file?: string;
  /** Called for each record; what it throws is swallowed. */
  readonly listener?: (record: LogRecord) => void;
  /** Records that may wait; further ones are dropped and counted. */
  readonly capacity?: number;
  readonly maxFileBytes?: number;
}

/** What the log tells of itself. */
export interface DecisionLogObserver {
  /** Every decision, once, dropped ones included. */
  counted(observed: Observed): void;
  dropped(records: number): void;
  failed(message: string): void;
}

type Waiting =
  | { readonly kind: "observed"; readonly observed: Observed }
  | { readonly kind: "record"; readonly record: LogRecord };

const DEFAULT_CAPACITY = 16_384;
const BATCH = 512;

/** The decision log: `push` only stores a reference; formatting, counting and writing happen later, off the reply's path. */
export class DecisionLog {
  readonly #ring: RingBuffer<Waiting>;
  readonly #file: RotatingFile | undefined;
  readonly #listener: ((record: LogRecord) => void) | undefined;
  readonly #observer: DecisionLogObserver;
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #closed = false;
  #dropped = 0;

  constructor(options: DecisionLogOptions, observer: DecisionLogObserver) {
    this.#ring = new RingBuffer(options.capacity ?? DEFAULT_CAPACITY);
    this.#file =
      options.file === undefined
        ? undefined
        : new RotatingFile(options.file, options.maxFileBytes === undefined ? {} : { maxBytes: options.maxFileBytes });
    this.#listener = options.listener;
    this.#observer = observer;
  }

  /** Records that were lost for want of room or for a failed write. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a decision; where there is no room it is counted at once and its record dropped. */
  push(observed: Observed): void {
    if (!this.#ring.push({ kind: "observed", observed })) {
      this.#observer.counted(observed);
      this.#drop(1);
    }
    this.#schedule();
  }

  /** Takes a ready record, such as a sidecar's refusal. */
  pushRecord(record: LogRecord): void {
    if (!this.#ring.push({ kind: "record", record })) this.#drop(1);
    this.#schedule();
  }

  /** Writes what waits and refuses what comes after. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#ring.size > 0 || this.#writing !== undefined) {
      await this.#writing;
      this.#drain();
    }
  }

  #drop(records: number): void {
    this.#dropped += records;
    this.#observer.dropped(records);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  /** Handles one batch, unless one is being written: then the ring fills, and its bound holds the memory. */
  #drain(): void {
    if (this.#writing !== undefined) return;
    const lines: string[] = [];
    for (let taken = 0; taken < BATCH; taken++) {
      const waiting = this.#ring.shift();
      if (waiting === undefined) break;
      this.#take(waiting, lines);
    }
    if (lines.length > 0) this.#write(lines);
    else if (this.#ring.size > 0) this.#schedule();
  }

  #take(waiting: Waiting, lines: string[]): void {
    try {
      if (waiting.kind === "observed") this.#observer.counted(waiting.observed);
      const record = waiting.kind === "observed" ? decisionRecord(waiting.observed) : waiting.record;
      if (this.#file !== undefined) lines.push(`${JSON.stringify(record)}\n`);
      this.#listener?.(record);
    } catch (error) {
      this.#observer.failed(messageOf(error));
    }
  }

  #write(lines: readonly string[]): void {
    if (this.#file === undefined) return;
    this.#writing = this.#file
      .append(lines.join(""))
      .catch((error: unknown) => {
        this.#drop(lines.length);
        this.#observer.failed(messageOf(error));
      })
      .finally(() => {
        this.#writing = undefined;
        if (this.#ring.size > 0) this.#schedule();
      });
  }
}
