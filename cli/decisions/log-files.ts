import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import { stateFolder } from "../state-folder.ts";

/** Where decision logs are looked for. */
export interface LogOptions {
  /** Files that are named; none means the state folder's own. */
  readonly log: readonly string[];
  readonly state: string;
}

/** One file of a decision log, as it is reached and as it is shown. */
export interface LogFile {
  readonly path: string;
  readonly shown: string;
  readonly sizeBytes: number;
}

/** The decision log files, oldest first; `ERR_CLI_FILE` where one is missing or there is none. */
export function logFiles({ log, state }: LogOptions, cwd: string): readonly LogFile[] {
  if (log.length > 0) return log.map((shown) => logFile(resolve(cwd, shown), shown));
  const { decisionLog } = stateFolder(state, cwd);
  const found = rotated(decisionLog);
  if (found.length > 0) return found.map((path) => logFile(path, path));
  throw new CliError("ERR_CLI_FILE", `there is no decision log in \`${state}\``, {
    hint: "name the agent's state folder with `--state`, or a log file with `--log`",
  });
}

/** `decisions.jsonl.2`, `decisions.jsonl.1`, `decisions.jsonl`: a higher number is older. */
function rotated(path: string): readonly string[] {
  const name = basename(path);
  const ageOf = (file: string): number => (file === name ? 0 : Number(file.slice(name.length + 1)));
  return namesIn(dirname(path))
    .filter((file) => file === name || (file.startsWith(`${name}.`) && /^\d+$/.test(file.slice(name.length + 1))))
    .sort((left, right) => ageOf(right) - ageOf(left))
    .map((file) => join(dirname(path), file));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function logFile(path: string, shown: string): LogFile {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return { path, shown, sizeBytes: found.size };
  throw new CliError("ERR_CLI_FILE", `there is no decision log \`${shown}\``);
}
