import { formatEnvoyVersion, type LocatedEnvoy, type LocateLog, locateEnvoy } from "../../envoy/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { json, lines, paint } from "../screen.ts";

/** Options of `cellwall envoy locate`. */
export interface LocateCommandOptions extends OutputOptions {
  readonly envoy?: string;
  readonly download: boolean;
}

const SOURCES: Readonly<Record<LocatedEnvoy["source"], string>> = {
  explicit: "as told",
  path: "from PATH",
  cache: "from the cache",
  download: "just fetched",
};

/** Prints where Envoy is. */
export async function locate(options: LocateCommandOptions, io: Io): Promise<ExitCode> {
  const found = await findEnvoy(options.envoy, io, options.download);
  const facts = { path: found.path, version: formatEnvoyVersion(found.version), source: found.source };
  if (options.output === "json") json(io.stdout, facts);
  else lines(io.stdout, `${facts.path}  Envoy ${facts.version}, ${SOURCES[found.source]}`);
  return EXIT.ok;
}

/** The Envoy to use; what is passed over and fetched is said on standard error. */
export function findEnvoy(explicit: string | undefined, io: Io, download = true): Promise<LocatedEnvoy> {
  return locateEnvoy({ env: io.env, log: locateLog(io), download, ...(explicit === undefined ? {} : { explicit }) });
}

function locateLog(io: Io): LocateLog {
  return {
    info: (message) => lines(io.stderr, message),
    warn: (message) => lines(io.stderr, `${paint(io.stderr, "yellow", "warning:")} ${message}`),
  };
}
