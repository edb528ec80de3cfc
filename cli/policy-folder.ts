import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { CliError, systemReason } from "./cli-error.ts";

/** A policy file; `path` is how the user reaches it from where the command runs. */
export interface PolicyText {
  readonly path: string;
  readonly text: string;
}

/** The folder that commands read when none is named. */
export const DEFAULT_POLICY_FOLDER = "policies";

/**
 * The policy files (`*.yaml`, `*.yml`) of folders, in their order, each folder's by name, recursively; a file may be named as well.
 * Names that begin with a dot are passed over, and so is `node_modules`. Throws `ERR_CLI_POLICY_FOLDER` for a folder that is missing or
 * holds none.
 */
export function readPolicyFolders(folders: readonly string[], cwd: string): readonly PolicyText[] {
  return folders.flatMap((folder) => {
    const paths = policyPaths(folder, cwd);
    if (paths.length > 0) return paths.map((path) => ({ path, text: readText(path, cwd) }));
    throw new CliError("ERR_CLI_POLICY_FOLDER", `there are no policies (*.yaml) in \`${folder}\``, { hint: INIT_HINT });
  });
}

/** The paths of a folder's policy files, in reading order. */
export function policyPaths(folder: string, cwd: string): readonly string[] {
  const kind = kindOf(resolve(cwd, folder));
  if (kind === "file") return [folder];
  if (kind === "folder") return walk(folder, cwd, new Set());
  throw new CliError("ERR_CLI_POLICY_FOLDER", `there is no policy folder \`${folder}\``, { hint: INIT_HINT });
}

const INIT_HINT = "`cellwall init` writes a small set into `policies/`; or name the folder that holds yours";

function kindOf(path: string): "file" | "folder" | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return "folder";
  return found?.isFile() === true ? "file" : undefined;
}

/** Follows links, as mounted configuration consists of them, but enters no folder twice. */
function walk(folder: string, cwd: string, entered: Set<string>): readonly string[] {
  const real = realpathSync(resolve(cwd, folder));
  if (entered.has(real)) return [];
  entered.add(real);
  const names = readdirSync(real).filter((name) => !name.startsWith(".") && name !== "node_modules");
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const kind = kindOf(resolve(cwd, path));
    if (kind === "folder") return walk(path, cwd, entered);
    return kind === "file" && /\.ya?ml$/.test(name) ? [path] : [];
  });
}

function readText(path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), "utf8");
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${path}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  }
}
