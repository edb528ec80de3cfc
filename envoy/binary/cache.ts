import { homedir } from "node:os";
import { join } from "node:path";
import { type EnvoyVersion, formatEnvoyVersion } from "./version.ts";

/**
 * The user's cache folder for binaries: `$XDG_CACHE_HOME/cellwall/envoy`, else `~/Library/Caches/cellwall/envoy` on macOS
 * and `~/.cache/cellwall/envoy` elsewhere.
 */
export function defaultCacheDir(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  return join(cacheRoot(env, platform), "cellwall", "envoy");
}

function cacheRoot(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): string {
  // The XDG specification: a relative path in the variable is ignored.
  if (env.XDG_CACHE_HOME?.startsWith("/")) return env.XDG_CACHE_HOME;
  const home = env.HOME?.startsWith("/") ? env.HOME : homedir();
  return platform === "darwin" ? join(home, "Library", "Caches") : join(home, ".cache");
}

/** Where a release's binary lies in a cache folder. */
export function cachedBinary(cacheDir: string, version: EnvoyVersion): string {
  return join(cacheDir, formatEnvoyVersion(version), "envoy");
}
