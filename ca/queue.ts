/** Runs one piece of work after another, each to its end, in the order they were given. */
export interface Queue {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Settles when everything given so far has ended. */
  idle(): Promise<void>;
}

export function startQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  const run = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  return { run, idle: () => last.then(() => undefined) };
}
