import { EnvoyError } from "../envoy-error.ts";
import { type EnvoyFinding, mendables } from "../lint/lint-config.ts";
import type { PatchTarget } from "../lint/lint-context.ts";
import { type ConfigSource, readSource } from "../lint/source.ts";
import { requirePatchable } from "./require-patchable.ts";
import { applyEdits } from "./splice.ts";

/** What a patch makes of a configuration. */
export interface Patched {
  readonly text: string;
  /** What was mended, in the order of the text. */
  readonly mended: readonly EnvoyFinding[];
  /** What stands: nobody but the user can mend it. */
  readonly left: readonly EnvoyFinding[];
}

/** A key that is made in one round holds what the next one looks at. */
const MAX_ROUNDS = 8;

/**
 * Makes a configuration a sidecar of a workload: adds authorization, the floor and the access logs, and mends what `lintConfig` finds and can
 * be mended. What is not touched stays as it is, and a second patch changes nothing. Throws `ERR_ENVOY_CONFIG` where it cannot be done in place.
 */
export function patchConfig(source: ConfigSource, target: PatchTarget): Patched {
  requirePatchable(source, target);
  const mended: EnvoyFinding[] = [];
  let now = source;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const found = mendables(now, { envoyVersion: target.envoyVersion, target });
    const edits = found.flatMap((one) => one.edits);
    if (edits.length === 0) return { text: now.text, mended, left: found.map((one) => one.finding) };
    if (round === 0) mended.push(...found.filter((one) => one.edits.length > 0).map((one) => one.finding));
    now = readSource(now.file, applyEdits(now, edits));
  }
  throw new EnvoyError("ERR_ENVOY_CONFIG", `${source.file}:1:1: the patch does not come to an end`, {
    hint: "two parts of the text are one by an anchor: write them out",
  });
}
