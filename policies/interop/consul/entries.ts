import { type ForeignDocument, isRecord, readForeignYaml } from "../foreign-yaml.ts";
import { isHcl, readHclDocument } from "../hcl/hcl-document.ts";
import type { SourceText } from "../importer.ts";
import { Fields } from "../translate/fields.ts";

/** One config entry, or Kubernetes resource that stands for one. */
export interface Entry {
  /** Lower case, without dashes: `serviceintentions`. */
  readonly kind: string;
  /** The kind as it is written. */
  readonly written: string;
  readonly fields: Fields;
}

/** The entries of a text of HCL, JSON or YAML, those of an agent's `config_entries` included. */
export function readEntries(source: SourceText): readonly Entry[] {
  const documents = isHcl(source) ? [readHclDocument(source)] : readForeignYaml([source]);
  return documents.flatMap(entriesOf);
}

function entriesOf(document: ForeignDocument): readonly Entry[] {
  const fields = new Fields(document, [], document.value);
  const inner = fields.map("configEntries")?.maps("bootstrap");
  return (inner ?? [fields]).map((one) => {
    const given = one.get("kind");
    const written = typeof given === "string" ? given : isRecord(document.value) ? "document" : "?";
    return { kind: written.toLowerCase().replaceAll("-", ""), written, fields: one };
  });
}

/** The entries of a kind. */
export function ofKind(entries: readonly Entry[], kind: string): readonly Fields[] {
  return entries.filter((entry) => entry.kind === kind).map(({ fields }) => fields);
}
