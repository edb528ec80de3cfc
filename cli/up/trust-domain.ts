import { parseDocuments, resolve } from "../../policies/index.ts";
import type { PolicyText } from "../policy-folder.ts";

/** The trust domain that a set's mesh names; undefined where the set has errors, as then its mesh may be none. */
export function meshTrustDomain(files: readonly PolicyText[]): string | undefined {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  return set.diagnostics.some((each) => each.severity === "error") ? undefined : set.mesh.trustDomain;
}
