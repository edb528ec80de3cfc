import type { Io } from "../io.ts";

/** An `Io` whose output is kept, and which can be asked to stop. */
export interface CapturedIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
  readonly stop: () => void;
}

/** An `Io` for tests: no colours, its own working folder, an environment of its own. */
export function capturedIo(
  cwd: string,
  options: Partial<Pick<Io, "env" | "clock">> & { readonly stdin?: string } = {},
): CapturedIo {
  const written = { out: "", err: "" };
  const stop = new AbortController();
  const output = (key: "out" | "err"): Io["stdout"] => ({
    write: (text) => {
      written[key] += text;
    },
    color: false,
    columns: 100,
  });
  return {
    stdout: output("out"),
    stderr: output("err"),
    stdin: async () => options.stdin ?? "",
    env: options.env ?? {},
    cwd,
    clock: options.clock ?? (() => new Date()),
    signal: stop.signal,
    out: () => written.out,
    err: () => written.err,
    stop: () => stop.abort(),
  };
}

/** Waits for a condition; rejects with what it waited for when the deadline passes. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
