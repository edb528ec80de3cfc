import { KINDS, type Kind } from "../syntax/document.ts";
import { documentReader } from "../syntax/read-document.ts";
import type { JsonSchema } from "../syntax/readers.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/**
 * The JSON Schema of a kind of document, from the very readers that parse it. A schema says less than the parser:
 * what passes it may still be refused (references, identities, canonical paths), what fails it always is.
 */
export function jsonSchemaOf(kind: Kind): JsonSchema {
  return { $schema: DIALECT, title: `Cellwall ${kind}`, ...documentReader(kind).schema };
}

/** One JSON Schema for every kind, for editors: `# yaml-language-server: $schema=cellwall.schema.json`. */
export function jsonSchema(): JsonSchema {
  return {
    $schema: DIALECT,
    title: "Cellwall policy documents",
    type: "object",
    required: ["kind"],
    properties: { kind: { enum: KINDS } },
    allOf: KINDS.map((kind) => ({
      if: { properties: { kind: { const: kind } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: documentReader(kind).schema,
    })),
  };
}

/** File name and text of every schema as it lies in `docs/schema`. */
export function schemaFiles(): ReadonlyMap<string, string> {
  const text = (schema: JsonSchema): string => `${JSON.stringify(schema, undefined, 2)}\n`;
  const kinds = KINDS.map((kind) => [`${kind.toLowerCase()}.schema.json`, text(jsonSchemaOf(kind))] as const);
  return new Map([["cellwall.schema.json", text(jsonSchema())], ...kinds]);
}
