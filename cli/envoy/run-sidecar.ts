import { formatEnvoyVersion, runEnvoy } from "../../envoy/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { lines, paint } from "../screen.ts";
import { findEnvoy } from "./locate.ts";
import { renderOf } from "./sidecar.ts";
import { supervise } from "./supervise.ts";

/** Options of `cellwall envoy run`. */
export interface RunCommandOptions extends StateOptions {
  readonly workload: string;
  readonly envoy?: string;
  readonly runDir?: string;
  readonly logLevel: "info" | "warning" | "error";
}

/** Runs a workload's sidecar until asked to stop, starting it again when it ends. */
export async function runSidecar(folders: readonly string[], options: RunCommandOptions, io: Io): Promise<ExitCode> {
  const envoy = await findEnvoy(options.envoy, io);
  const read = (): ReturnType<typeof renderOf> =>
    renderOf(readGoodSet(folders, io), options, { envoyVersion: envoy.version, cwd: io.cwd });
  let sidecar = read();
  lines(
    io.stdout,
    `sidecar of ${sidecar.name}: Envoy ${formatEnvoyVersion(envoy.version)}, ${envoy.path}; Ctrl-C stops`,
  );
  await supervise({
    signal: io.signal,
    start: () => {
      sidecar = freshOr(sidecar, read, io);
      const { bootstrap, adminSocket, severFile } = sidecar;
      const onLog = (line: string): void => lines(io.stderr, line);
      return runEnvoy({ path: envoy.path, bootstrap, adminSocket, severFile, logLevel: options.logLevel, onLog });
    },
    started: (running) => void announce(running, io),
    ended: ({ code, signal }, againInMs) =>
      lines(
        io.stderr,
        `${paint(io.stderr, "yellow", "warning:")} Envoy ended (${signal ?? `exit code ${code}`}); again in ${againInMs / 1000} s`,
      ),
  });
  lines(io.stdout, "stopped");
  return EXIT.ok;
}

/** Each start reads the folders again; one that is broken by now does not keep the sidecar down. */
function freshOr<T>(last: T, read: () => T, io: Io): T {
  try {
    return read();
  } catch {
    lines(io.stderr, `${paint(io.stderr, "yellow", "warning:")} the sidecar starts with its last good configuration`);
    return last;
  }
}

async function announce(running: Awaited<ReturnType<typeof runEnvoy>>, io: Io): Promise<void> {
  try {
    await running.ready();
    lines(io.stdout, `ready (process ${running.pid})`);
  } catch (error) {
    if (io.signal.aborted) return;
    const hint = error instanceof Error && "hint" in error && typeof error.hint === "string" ? `; ${error.hint}` : "";
    lines(
      io.stderr,
      `${paint(io.stderr, "yellow", "warning:")} ${error instanceof Error ? error.message : String(error)}${hint}`,
    );
  }
}
