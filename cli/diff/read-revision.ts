import { execFileSync } from "node:child_process";
import { printable } from "../../policies/index.ts";
import { CliError, systemCode } from "../cli-error.ts";
import { DEFAULT_POLICY_FOLDER, type PolicyText } from "../policy-folder.ts";

const MAX_BYTES = 256 * 1_024 * 1_024;

/**
 * The policy files of a folder as a Git revision has them: `REV` (the folder `policies` beside where the command runs) or
 * `REV:folder` (from the repository's root, as Git has it). Throws `ERR_CLI_POLICY_FOLDER`.
 */
export function readRevision(text: string, cwd: string): readonly PolicyText[] {
  const colon = text.indexOf(":");
  const revision = colon === -1 ? text : text.slice(0, colon);
  const commit = commitOf(revision, text, cwd);
  const folder = colon === -1 ? besides(cwd) : text.slice(colon + 1).replace(/\/+$/, "");
  const paths = pathsOf(commit, folder, cwd);
  if (paths.length > 0)
    return contentsOf(commit, paths, cwd).map(({ path, text: own }) => ({ path: `${revision}:${path}`, text: own }));
  throw new CliError(
    "ERR_CLI_POLICY_FOLDER",
    `there are no policies (*.yaml) in \`${printable(`${revision}:${folder}`)}\``,
    {
      hint: "write `REV:folder`, the folder counted from the repository's root",
    },
  );
}

/** SECURITY: a revision that begins with `-` would be an option; it is never handed to Git. */
function commitOf(revision: string, text: string, cwd: string): string {
  const commit = /^(?:-|$)/.test(revision)
    ? undefined
    : git(["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], cwd)
        ?.toString("utf8")
        .trim();
  if (commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  throw new CliError("ERR_CLI_POLICY_FOLDER", `\`${printable(text)}\` is neither a folder, a file nor a Git revision`, {
    hint: "a revision is asked of the Git repository around this folder: `main`, `HEAD~1:policies`; a shallow clone holds few of them",
  });
}

/** The folder `policies` of where the command runs, from the repository's root. */
function besides(cwd: string): string {
  const prefix = git(["rev-parse", "--show-prefix"], cwd)?.toString("utf8").trim() ?? "";
  return `${prefix}${DEFAULT_POLICY_FOLDER}`;
}

/** In the order in which folders are read; the same names are passed over. */
function pathsOf(commit: string, folder: string, cwd: string): readonly string[] {
  const within = folder === "" || folder === "." ? [] : [folder];
  const listed = git(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", ...within], cwd);
  const paths = listed?.toString("utf8").split("\0") ?? [];
  const below = folder === "" || folder === "." ? 0 : folder.split("/").length;
  const isPassedOver = (name: string): boolean => name.startsWith(".") || name === "node_modules";
  return paths
    .filter((path) => /\.ya?ml$/.test(path) && !path.split("/").slice(below).some(isPassedOver))
    .sort((left, right) => compareNames(left.split("/"), right.split("/")));
}

function compareNames(left: readonly string[], right: readonly string[]): number {
  const at = left.findIndex((name, index) => name !== right[index]);
  return (left[at] ?? "") < (right[at] ?? "") ? -1 : 1;
}

/** The files' texts, from one run of Git. */
function contentsOf(commit: string, paths: readonly string[], cwd: string): readonly PolicyText[] {
  const output = git(["cat-file", "--batch"], cwd, paths.map((path) => `${commit}:${path}\n`).join(""));
  const files: PolicyText[] = [];
  let at = 0;
  for (const path of paths) {
    const lineEnd = output?.indexOf("\n", at) ?? -1;
    const [, size] = /^[0-9a-f]+ blob ([0-9]+)$/.exec(output?.toString("utf8", at, lineEnd) ?? "") ?? [];
    if (output === undefined || size === undefined) {
      throw new CliError("ERR_CLI_FILE", `cannot read \`${printable(path)}\` of the revision`);
    }
    at = lineEnd + 1 + Number(size) + 1;
    files.push({ path, text: output.toString("utf8", lineEnd + 1, at - 1) });
  }
  return files;
}

/** What Git prints; nothing where it fails. */
function git(args: readonly string[], cwd: string, input = ""): Buffer | undefined {
  try {
    return execFileSync("git", args, { cwd, input, maxBuffer: MAX_BYTES, stdio: ["pipe", "pipe", "ignore"] });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") return undefined;
    throw new CliError("ERR_CLI_POLICY_FOLDER", "git is not installed, and nothing on disk has this name", {
      cause: error,
    });
  }
}
