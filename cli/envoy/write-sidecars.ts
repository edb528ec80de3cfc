import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EnvoyVersion, renderSidecar } from "../../envoy/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import type { PolicySet, Workload } from "../../policies/index.ts";
import { CliError, systemReason } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { lines } from "../screen.ts";
import { stateFolder } from "../state-folder.ts";

/** Where to, and for which agent. */
export interface WriteSidecarsOptions {
  readonly state: string;
  readonly out: string;
  readonly runDir?: string;
  readonly envoyVersion: EnvoyVersion;
}

/**
 * Writes the bootstrap of each sidecar of the set as `<namespace>.<name>.json`, without an admin interface. A file is readable by its
 * owner alone: the uid that the workload's `attest` names, where this process is root, else this process' own user.
 */
export function writeSidecars(set: PolicySet, options: WriteSidecarsOptions, io: Io): void {
  const { envoyVersion, out } = options;
  const folder = resolve(io.cwd, out);
  const runDir =
    options.runDir === undefined ? stateFolder(options.state, io.cwd).run : resolve(io.cwd, options.runDir);
  const workloads = set.workloads.filter(({ sidecar }) => sidecar !== undefined);
  makeFolder(folder, out);
  for (const workload of workloads) {
    const { authz, envoy } = socketPaths(runDir, workload);
    const bootstrap = renderSidecar({ workload, set, envoyVersion, sockets: { authz, envoy } });
    const file = join(folder, `${workload.namespace}.${workload.name}.json`);
    writeFor(file, `${JSON.stringify(bootstrap, null, 2)}\n`, uidOf(workload));
  }
  lines(io.stdout, `wrote ${workloads.length} sidecar configurations to ${out}`);
}

/** Each user finds its own file by name, and cannot list the others. */
function makeFolder(folder: string, named: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write to \`${named}\`: ${systemReason(error) ?? "not writable"}`, {
      cause: error,
    });
  }
}

function writeFor(file: string, text: string, uid: number | undefined): void {
  rmSync(file, { force: true });
  writeFileSync(file, text, { mode: 0o400, flag: "wx" });
  if (uid !== undefined && process.getuid?.() === 0) chownSync(file, uid, -1);
}

function uidOf({ attest }: Workload): number | undefined {
  const [uid] = attest.flatMap((way) => (way.kind === "socket" ? [way.uid] : []));
  return uid;
}
