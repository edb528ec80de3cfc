import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * The Git commit that a folder's files are of, with `+changes` where the folder holds others than it; undefined outside a
 * repository and where there is no Git.
 */
export function gitCommit(folder: string, cwd: string): string | undefined {
  const path = resolve(cwd, folder);
  const where = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : dirname(path);
  const commit = git(["rev-parse", "--verify", "--quiet", "HEAD"], where)?.trim();
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  const changes = git(["status", "--porcelain", "--untracked-files=all", "--", path], where);
  return changes === "" ? commit : `${commit}+changes`;
}

/** What Git prints; nothing where it fails. */
function git(args: readonly string[], cwd: string): string | undefined {
  try {
    return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
