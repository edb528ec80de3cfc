const FREE = 0;
const TAKEN = 1;
const DONE = 2;

/** Who reads which of a list of files: two threads have it in common, and each file is taken by one of them. */
export class FilesTaken {
  /** What the other thread is given to make its own view of the same. */
  readonly buffer: SharedArrayBuffer;
  readonly #states: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#states = new Int32Array(buffer);
  }

  static of(files: number): FilesTaken {
    return new FilesTaken(new SharedArrayBuffer(files * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Takes a file; false where the other thread has it. */
  take(at: number): boolean {
    return Atomics.compareExchange(this.#states, at, FREE, TAKEN) === FREE;
  }

  /** Says that what was to be read of a taken file is there. */
  done(at: number): void {
    Atomics.store(this.#states, at, DONE);
    Atomics.notify(this.#states, at);
  }

  /** Waits until a taken file is done; false where it takes longer. */
  wait(at: number, timeoutMs: number): boolean {
    return Atomics.wait(this.#states, at, TAKEN, timeoutMs) !== "timed-out";
  }
}
