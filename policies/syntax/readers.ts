/** Readers of positioned YAML: each reads a node, reports every finding in it and describes what it accepts as JSON Schema. */
export * from "./collection-readers.ts";
export * from "./object-reader.ts";
export * from "./reader.ts";
export * from "./scalar-readers.ts";
