import { join, resolve } from "node:path";
import { type EnvoyVersion, renderSidecar, type SidecarBootstrap } from "../../envoy/index.ts";
import { severFile, socketPaths } from "../../ext-authz/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import type { StateOptions } from "../command.ts";
import { findWorkload } from "../explain/find-workload.ts";
import { stateFolder } from "../state-folder.ts";

/** Which sidecar, of which set. */
export interface SidecarOptions extends StateOptions {
  readonly workload: string;
  readonly runDir?: string;
}

/** A rendered sidecar. */
export interface Sidecar {
  /** `<namespace>/<name>` */
  readonly name: string;
  readonly bootstrap: SidecarBootstrap;
  readonly adminSocket: string;
  /** Where the agent orders an end of what is open. */
  readonly severFile: string;
}

/** Renders a workload's sidecar for the agent whose sockets lie in the run folder. */
export function renderOf(
  set: PolicySet,
  options: SidecarOptions,
  { envoyVersion, cwd }: { readonly envoyVersion: EnvoyVersion; readonly cwd: string },
): Sidecar {
  const workload = findWorkload(options.workload, set);
  const runDir = options.runDir === undefined ? stateFolder(options.state, cwd).run : resolve(cwd, options.runDir);
  const { authz, envoy } = socketPaths(runDir, workload);
  const adminSocket = join(runDir, `${workload.namespace}.${workload.name}.admin.sock`);
  const bootstrap = renderSidecar({ workload, set, envoyVersion, sockets: { authz, envoy }, adminSocket });
  return {
    name: `${workload.namespace}/${workload.name}`,
    bootstrap,
    adminSocket,
    severFile: severFile({ envoy }),
  };
}
