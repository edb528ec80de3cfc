import { formatDiagnostics } from "../../policies/diagnostics/index.ts";
import type { Document, PolicySet } from "../../policies/index.ts";
import { resolve } from "../../policies/resolve/index.ts";
import { parseDocuments } from "../../policies/syntax/index.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, lines } from "../screen.ts";
import { errorsOf } from "./read-set.ts";

/** A set without errors, and the texts it was read from. */
export interface GoodDocuments {
  readonly set: PolicySet;
  readonly documents: readonly Document[];
  readonly files: readonly PolicyText[];
}

/** A set without errors, of folders; prints the errors and throws `ERR_CLI_POLICIES` where there are some. */
export function readGoodSet(folders: readonly string[], io: Io): PolicySet {
  return readGoodDocuments(folders, io).set;
}

/** The same with the documents, for what looks at more than the set. */
export function readGoodDocuments(folders: readonly string[], io: Io): GoodDocuments {
  const files = readPolicyFolders(folders, io.cwd);
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const errors = errorsOf(set.diagnostics);
  if (errors === 0) return { set, documents, files };
  const found = set.diagnostics.filter((each) => each.severity === "error");
  lines(io.stderr, formatDiagnostics(found, { files, color: io.stderr.color }).trimEnd(), "");
  throw new CliError("ERR_CLI_POLICIES", `the set has ${count(errors, "error")}`, {
    hint: "mend what `cellwall check` says first",
  });
}
