import { parseDocuments, resolve } from "../../policies/index.ts";
import type { PolicyText } from "../policy-folder.ts";

/** The trust domain that a set's mesh names, as far as the set can be read; undefined where it names none. */
export function meshTrustDomain(files: readonly PolicyText[]): string | undefined {
  const { documents, diagnostics } = parseDocuments(files);
  if (!documents.some((document) => document.kind === "Mesh")) return undefined;
  const { trustDomain } = resolve(documents, { diagnostics }).mesh;
  return trustDomain;
}
