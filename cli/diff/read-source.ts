import { statSync } from "node:fs";
import { resolve } from "node:path";
import { formatDiagnostics, type PolicySet, printable } from "../../policies/index.ts";
import { isBundle, readBundle } from "../bundle/read-bundle.ts";
import { sayUnsigned } from "../bundle/verify-bundle.ts";
import { errorsOf, readSet } from "../check/read-set.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, lines } from "../screen.ts";
import type { TrustOptions } from "../trust-options.ts";
import { readRevision } from "./read-revision.ts";
import { readShardFile } from "./read-shard-file.ts";

/**
 * The set that a text names: a folder or YAML file, the folder of a bundle, whose signature is verified, a JSON file of shards, which has none, or a Git revision with or without a
 * folder. What is there on disk comes first. Throws `ERR_CLI_POLICY_FOLDER` for what is none of it, `ERR_CLI_POLICIES`
 * for a set with errors, which it prints.
 */
export async function readSource(source: string, options: TrustOptions, io: Io): Promise<PolicySet> {
  const found = statSync(resolve(io.cwd, source), { throwIfNoEntry: false });
  if (found?.isFile() === true && source.endsWith(".json")) {
    sayUnsigned(source, io);
    return readShardFile(source, io.cwd);
  }
  if (isBundle(source, io.cwd)) return readBundle(source, options, io);
  if (found !== undefined) return goodSet(readPolicyFolders([source], io.cwd), source, io);
  return goodSet(readRevision(source, io.cwd), source, io);
}

function goodSet(files: readonly PolicyText[], source: string, io: Io): PolicySet {
  const set = readSet(files);
  const errors = errorsOf(set.diagnostics);
  if (errors === 0) return set;
  const found = set.diagnostics.filter((each) => each.severity === "error");
  lines(io.stderr, formatDiagnostics(found, { files, color: io.stderr.color }).trimEnd(), "");
  throw new CliError("ERR_CLI_POLICIES", `the set of \`${printable(source)}\` has ${count(errors, "error")}`, {
    hint: "only sets without errors are compared",
  });
}
