import type { Json, JsonObject } from "../config/json.ts";

/** Widest value that is written in braces within YAML blocks. */
const MAX_FLOW_CHARS = 80;

/** A value as YAML within braces and brackets, on one line. */
export function flowYaml(value: Json): string {
  if (typeof value !== "object") return scalarYaml(value);
  if (isList(value)) return value.length === 0 ? "[]" : `[${value.map(flowYaml).join(", ")}]`;
  const fields = Object.entries(value).map(([key, one]) => `${scalarYaml(key)}: ${flowYaml(one)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** A scalar as YAML; a text that could be read as anything else, or that needs care in braces, is quoted. */
export function scalarYaml(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z0-9_/][A-Za-z0-9_./-]*$/.test(value) && Number.isNaN(Number(value));
  return plain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value) ? value : JSON.stringify(value);
}

/** `key: value` as lines of block YAML, without indentation of its own. */
export function entryLines(key: string, value: Json): readonly string[] {
  const name = scalarYaml(key);
  if (typeof value === "string" && isText(value)) return [`${name}: |`, ...indented(value.trimEnd().split("\n"), 2)];
  if (typeof value !== "object" || flows(value)) return [`${name}: ${flowYaml(value)}`];
  return [`${name}:`, ...indented(blockLines(value), 2)];
}

/** An item of a sequence as lines of block YAML. */
export function itemLines(value: Json): readonly string[] {
  if (typeof value !== "object" || flows(value)) return [`- ${flowYaml(value)}`];
  const [first = "", ...rest] = blockLines(value);
  return [`- ${first}`, ...indented(rest, 2)];
}

function blockLines(value: readonly Json[] | JsonObject): readonly string[] {
  if (isList(value)) return value.flatMap(itemLines);
  return Object.entries(value).flatMap(([key, one]) => entryLines(key, one));
}

function flows(value: readonly Json[] | JsonObject): boolean {
  const isEmpty = isList(value) ? value.length === 0 : Object.keys(value).length === 0;
  return isEmpty || (flowYaml(value).length <= MAX_FLOW_CHARS && !hasText(value));
}

/** A text of several lines that a literal block keeps exactly. */
function isText(value: string): boolean {
  return /\n/.test(value) && value.endsWith("\n") && !value.endsWith("\n\n") && !/^\s|[^\S\n]\n|\r|\t/.test(value);
}

function hasText(value: Json): boolean {
  if (typeof value === "string") return value.includes("\n");
  return typeof value === "object" && (isList(value) ? value : Object.values(value)).some(hasText);
}

/** Lines moved to the right. */
export function indented(lines: readonly string[], by: number): readonly string[] {
  return lines.map((line) => (line === "" ? line : `${" ".repeat(by)}${line}`));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
