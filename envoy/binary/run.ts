import { type ChildProcess, execFile, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { EnvoyError } from "../envoy-error.ts";
import { askAdmin } from "./admin.ts";
import { type ConfigFiles, writeConfig } from "./config-files.ts";
import { tieToThisProcess } from "./lifeline.ts";
import { processEnvironment } from "./process-environment.ts";
import { followOrders } from "./sever-orders.ts";

/** Levels of Envoy's own log. */
export type EnvoyLogLevel = "trace" | "debug" | "info" | "warning" | "error" | "critical" | "off";

/** How to start one Envoy. */
export interface RunOptions {
  /** The binary. */
  readonly path: string;
  /** JSON bootstrap, as `renderSidecar` makes it. */
  readonly bootstrap: object;
  /** The admin socket that the bootstrap names; `ready()` needs it. */
  readonly adminSocket?: string;
  /** Worker threads; default 1. */
  readonly concurrency?: number;
  /** Default `warning`. */
  readonly logLevel?: EnvoyLogLevel;
  /** A file for Envoy's log; default: lines go to `onLog`. */
  readonly logFile?: string;
  /**
   * A file that orders an end of everything that is open: whenever its text is another one, each listener goes on with new
   * connections, and those of before get two seconds to finish and are then closed.
   */
  readonly severFile?: string;
  /** Gets what Envoy writes to its standard error, a line at a time. */
  readonly onLog?: (line: string) => void;
}

/** How an Envoy ended; `lastWords` are the last lines that it wrote. */
export interface EnvoyExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastWords: string;
}

/** A running Envoy. Starting it again after its end is the caller's business. */
export interface RunningEnvoy {
  readonly pid: number;
  /** Resolves, and never rejects, when the process has ended. */
  readonly exited: Promise<EnvoyExit>;
  /**
   * Resolves when the admin interface says LIVE: every listener is bound and has its secrets.
   * Rejects with `ERR_ENVOY_BINARY` when the deadline passes or the process ends; the process is left as it is.
   */
  ready(deadlineMs?: number): Promise<void>;
  /** SIGTERM, and SIGKILL after `graceMs`; resolves when the process has ended. */
  stop(graceMs?: number): Promise<EnvoyExit>;
}

const LAST_WORDS_CHARS = 4_096;

/** Starts Envoy. It ends with this process, however that ends. Throws `ERR_ENVOY_BINARY` where it cannot be started. */
export async function runEnvoy(options: RunOptions): Promise<RunningEnvoy> {
  const config = await writeConfig(options.bootstrap, options.severFile !== undefined);
  const child = spawn(options.path, argumentsOf(options, config.file), {
    // Of its own process group: on Ctrl-C its end comes from us, in order. `tieToThisProcess` sees to every other end.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: processEnvironment(),
  });
  const lastWords = collectLog(child, options.onLog);
  const exited = new Promise<EnvoyExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal, lastWords: lastWords() }));
  }).finally(config.remove);
  const pid = await started(child, options.path).catch((error) => {
    config.remove();
    throw error;
  });
  void exited.then(tieToThisProcess(pid));
  const listening = (): Promise<void> => demandListeners(options, () => stop(child, exited, 5_000));
  if (options.severFile !== undefined) {
    void exited.then(followOrders(options.severFile, () => void renew(config, listening).catch(() => undefined)));
  }
  return {
    pid,
    exited,
    // Envoy has read its configuration before it is ready: the file goes then, whatever ends us later.
    ready: (deadlineMs = 30_000) => ready(exited, options.adminSocket, deadlineMs).then(listening).then(config.read),
    stop: (graceMs = 5_000) => stop(child, exited, graceMs),
  };
}

/** Has Envoy read a bootstrap without starting it: undefined where it is accepted, else what Envoy says. */
export async function validateBootstrap(path: string, bootstrap: object): Promise<string | undefined> {
  const config = await writeConfig(bootstrap, false);
  const args = ["--mode", "validate", "-c", config.file, "--disable-hot-restart", "--log-level", "warning"];
  try {
    return await new Promise((resolve) => {
      execFile(path, args, { timeout: 60_000, env: processEnvironment() }, (error, stdout, stderr) =>
        resolve(error === null ? undefined : `${stdout}${stderr}`.trim() || error.message),
      );
    });
  } finally {
    config.remove();
  }
}

function argumentsOf(options: RunOptions, file: string): string[] {
  const log = options.logFile === undefined ? [] : ["--log-path", options.logFile];
  const level = ["--log-level", options.logLevel ?? "warning"];
  // Without hot restart: two Envoys on one host would else share one memory region and the second would not start.
  const drain = options.severFile === undefined ? [] : ["--drain-time-s", "2", "--drain-strategy", "immediate"];
  const workers = ["--concurrency", String(options.concurrency ?? 1)];
  return ["-c", file, "--disable-hot-restart", ...workers, ...drain, ...level, ...log];
}

function collectLog(child: ChildProcess, onLog: RunOptions["onLog"]): () => string {
  let words = "";
  let open = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-LAST_WORDS_CHARS);
    const lines = (open + text).split("\n");
    open = (lines.pop() ?? "").slice(-LAST_WORDS_CHARS);
    for (const line of lines) onLog?.(line);
  });
  return () => words.trim();
}

function started(child: ChildProcess, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", (cause) =>
      reject(new EnvoyError("ERR_ENVOY_BINARY", `\`${path}\` cannot be started: ${cause.message}`, { cause })),
    );
  });
}

async function ready(exited: Promise<EnvoyExit>, socket: string | undefined, deadlineMs: number): Promise<void> {
  if (socket === undefined) throw new TypeError("ready() needs the adminSocket that the bootstrap names");
  const end = Date.now() + deadlineMs;
  let state = "it does not answer";
  let exit: EnvoyExit | undefined;
  void exited.then((value) => {
    exit = value;
  });
  while (Date.now() < end) {
    if (exit !== undefined) throw ended(exit);
    const answer = await askAdmin(socket, "/ready", { timeoutMs: 1_000 }).catch(() => undefined);
    if (answer?.status === 200) return;
    if (answer !== undefined) state = `it is ${answer.body.trim()}`;
    await delay(25);
  }
  throw new EnvoyError("ERR_ENVOY_BINARY", `Envoy did not become ready within ${deadlineMs} ms: ${state}`, {
    hint: "PRE_INITIALIZING and INITIALIZING mean that it waits for its identity: is the agent running on its sockets?",
  });
}

const REJECTED = "listener_manager.lds.update_rejected";
const TAKEN_MS = 1_000;

/** Ends Envoy's connections; one that does not take its own listeners again ends as a whole. */
async function renew(config: ConfigFiles, listening: () => Promise<void>): Promise<void> {
  config.renew();
  await delay(TAKEN_MS, undefined, { ref: false });
  await listening();
}

/**
 * SECURITY: an Envoy that is given a static listener which it cannot bind ends; one that reads it from a file goes on without it, and
 * another process may be what callers reach there. So it is ended here.
 */
async function demandListeners(options: RunOptions, end: () => Promise<EnvoyExit>): Promise<void> {
  const { adminSocket, severFile } = options;
  if (severFile === undefined || adminSocket === undefined) return;
  const { body } = await askAdmin(adminSocket, `/stats?filter=^${REJECTED.replaceAll(".", "\\.")}$`);
  const [, rejected = "0"] = /: (\d+)/.exec(body) ?? [];
  if (Number(rejected) > 0) throw ended(await end());
}

function ended(exit: EnvoyExit): EnvoyError {
  const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
  return new EnvoyError("ERR_ENVOY_BINARY", `Envoy ended before it was ready (${how}): ${exit.lastWords}`);
}

async function stop(child: ChildProcess, exited: Promise<EnvoyExit>, graceMs: number): Promise<EnvoyExit> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
  try {
    return await exited;
  } finally {
    clearTimeout(force);
  }
}
