/** Where a command writes. */
export interface Output {
  write(text: string): void;
  /** Whether escape sequences may be written. */
  readonly color: boolean;
  /** Width of the screen in characters. */
  readonly columns: number;
  /** Whether a person looks at it: only there is progress shown. Absent means no. */
  readonly terminal?: boolean;
}

/** Everything a command touches of its process. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Reads standard input to its end. */
  stdin(): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: () => Date;
  /** Fires when the user asks the command to stop. */
  readonly signal: AbortSignal;
}

const DEFAULT_COLUMNS = 100;

/** The process' own streams; `NO_COLOR` and screens that are none turn escape sequences off, `FORCE_COLOR` turns them on. */
export function processIo(process: NodeJS.Process, signal: AbortSignal): Io {
  return {
    stdout: outputOf(process.stdout, process.env),
    stderr: outputOf(process.stderr, process.env),
    stdin: () => readAll(process.stdin),
    env: process.env,
    cwd: process.cwd(),
    clock: () => new Date(),
    signal,
  };
}

function outputOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Output {
  return {
    write: (text) => void stream.write(text),
    color: wantsColor(stream.isTTY === true, env),
    columns: stream.columns ?? DEFAULT_COLUMNS,
    terminal: stream.isTTY === true && env.TERM !== "dumb",
  };
}

/** Whether to write escape sequences: https://no-color.org, then `FORCE_COLOR`, then whether a person looks at it. */
export function wantsColor(isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0";
  return isTty && env.TERM !== "dumb";
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** Resolves when the user asks to stop. */
export function stopRequested(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
