import { renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The files that one Envoy is started with. */
export interface ConfigFiles {
  /** The bootstrap. */
  readonly file: string;
  /** Envoy has read them: they go, whatever ends this process later. */
  read(): void;
  /** Gives Envoy its listeners once more, so that it ends the connections of before. */
  renew(): void;
  remove(): void;
}

const LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener";

/**
 * Writes a bootstrap to a folder of its own. With `renewable` its static listeners lie in a file that Envoy watches: a filter chain
 * with another name replaces the one before in place, and the port stays bound meanwhile.
 */
export async function writeConfig(bootstrap: object, renewable: boolean): Promise<ConfigFiles> {
  const folder = await mkdtemp(join(tmpdir(), "cellwall-envoy-"));
  const [file, listeners] = [join(folder, "bootstrap.json"), join(folder, "listeners.json")];
  const moved = renewable ? withoutListeners(bootstrap, listeners) : undefined;
  let generation = 1;
  const remove = (): void => {
    process.removeListener("exit", remove);
    rmSync(folder, { recursive: true, force: true });
  };
  const read = (): void => {
    if (moved === undefined) remove();
    else for (const path of [file, listeners]) rmSync(path, { force: true });
  };
  const renew = (): void => {
    if (moved === undefined) return;
    // Envoy takes note of a file that is moved into place.
    writeFileSync(`${listeners}.new`, resources(moved.listeners, generation++), { mode: 0o600 });
    renameSync(`${listeners}.new`, listeners);
  };
  try {
    renew();
    await writeFile(file, JSON.stringify(moved?.bootstrap ?? bootstrap), { mode: 0o600 });
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
  process.once("exit", remove);
  return { file, read, renew, remove };
}

interface Moved {
  readonly bootstrap: object;
  readonly listeners: readonly object[];
}

function withoutListeners(bootstrap: object, path: string): Moved | undefined {
  const { static_resources: resourcesOf, ...rest } = recordOf(bootstrap);
  const { listeners, ...others } = recordOf(resourcesOf);
  const ownSource = recordOf(rest.dynamic_resources).lds_config !== undefined;
  if (!Array.isArray(listeners) || ownSource) return undefined;
  const lds_config = { resource_api_version: "V3", path_config_source: { path } };
  const dynamic = { ...recordOf(rest.dynamic_resources), lds_config };
  return {
    listeners: listeners.map(recordOf),
    bootstrap: { ...rest, dynamic_resources: dynamic, static_resources: others },
  };
}

function resources(listeners: readonly object[], generation: number): string {
  const named = listeners.map((listener) => {
    const { filter_chains: chains } = recordOf(listener);
    const renamed = (Array.isArray(chains) ? chains : []).map((chain, at) => ({
      ...recordOf(chain),
      name: `${generation}.${at}`,
    }));
    return { "@type": LISTENER, ...listener, filter_chains: renamed };
  });
  return JSON.stringify({ version_info: String(generation), resources: named });
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
