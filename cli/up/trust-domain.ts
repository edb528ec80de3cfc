import { existsSync } from "node:fs";
import { parseDocuments, resolve } from "../../policies/index.ts";
import { CliError } from "../cli-error.ts";
import type { PolicyText } from "../policy-folder.ts";
import type { StateFolder } from "../state-folder.ts";

/**
 * The trust domain that a set's mesh names; undefined where the set has errors, as then its mesh may be none, and the state folder knows
 * the trust domain already. `ERR_CLI_POLICIES` with the first error where it does not: a first start needs a good set.
 */
export function meshTrustDomain(files: readonly PolicyText[], state: StateFolder): string | undefined {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const first = set.diagnostics.find((each) => each.severity === "error");
  if (first === undefined) return set.mesh.trustDomain;
  if (existsSync(state.trustDomain)) return undefined;
  const { file, line, column } = first.span;
  throw new CliError("ERR_CLI_POLICIES", `${file}:${line}:${column}: ${first.message}`, {
    hint: `${first.hint === undefined ? "" : `${first.hint}; `}\`cellwall check\` shows every error with its line`,
  });
}
