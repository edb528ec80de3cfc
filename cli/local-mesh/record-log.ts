import type { LogRecord } from "../../ext-authz/index.ts";

/** The decision log of a mesh that runs in this process, in memory, with a way to wait for a record. */
export interface RecordLog {
  readonly add: (record: LogRecord) => void;
  /** A place in the log: records that come later are after it. */
  readonly mark: () => number;
  /** Records after a mark. */
  readonly since: (mark: number) => readonly LogRecord[];
  /** The first record after a mark that fits, waiting for it up to the deadline. */
  readonly waitFor: (
    mark: number,
    fits: (record: LogRecord) => boolean,
    deadlineMs: number,
  ) => Promise<LogRecord | undefined>;
  /** Calls the listener for each record from now on; returns how to stop that. */
  readonly follow: (listener: (record: LogRecord) => void) => () => void;
}

/** An empty record log that keeps the newest `capacity` records. */
export function createRecordLog(capacity = 100_000): RecordLog {
  let records: LogRecord[] = [];
  let dropped = 0;
  const listeners = new Set<(record: LogRecord) => void>();
  const since = (mark: number): readonly LogRecord[] => records.slice(Math.max(0, mark - dropped));
  const follow = (listener: (record: LogRecord) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    add(record) {
      records.push(record);
      if (records.length > 2 * capacity) {
        dropped += capacity;
        records = records.slice(capacity);
      }
      for (const listener of listeners) listener(record);
    },
    mark: () => dropped + records.length,
    since,
    waitFor(mark, fits, deadlineMs) {
      const there = since(mark).find(fits);
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => {
        const end = (record: LogRecord | undefined): void => {
          clearTimeout(timer);
          stop();
          resolve(record);
        };
        const timer = setTimeout(() => end(undefined), deadlineMs);
        const stop = follow((record) => {
          if (fits(record)) end(record);
        });
      });
    },
    follow,
  };
}
