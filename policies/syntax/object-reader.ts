import { nearest, suggestion } from "../diagnostics/nearest.ts";
import type { Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import {
  FAILED,
  type Failed,
  fail,
  type Json,
  type JsonSchema,
  mismatch,
  type Reader,
  type Reading,
  type ValueOf,
} from "./reader.ts";
import { entryOf, isNothing, isNull, type MapEntry, type MapNode, type TreeNode } from "./tree.ts";

/** One key of a map with fixed keys. */
export interface Field<T, Required extends boolean = boolean> {
  readonly reader: Reader<T>;
  readonly required: Required;
  readonly description: string;
}

/** A key that must be there. */
export function required<T>(reader: Reader<T>, description: string): Field<T, true> {
  return { reader, required: true, description };
}

/** A key that may be left out. */
export function optional<T>(reader: Reader<T>, description: string): Field<T, false> {
  return { reader, required: false, description };
}

export type Shape = Readonly<Record<string, Field<unknown>>>;
type RequiredKeys<S extends Shape> = { [K in keyof S]: S[K]["required"] extends true ? K : never }[keyof S];

/** What an object of a shape is read as, with the places of the whole and of each key. */
export type ObjectOf<S extends Shape> = { readonly [K in RequiredKeys<S>]: ValueOf<S[K]["reader"]> } & {
  readonly [K in Exclude<keyof S, RequiredKeys<S>>]?: ValueOf<S[K]["reader"]>;
} & { readonly span: Span; readonly keys: ReadonlyMap<string, Span> };

/** What several keys of one object must fulfil together. */
export interface ObjectRules {
  readonly expects: string;
  /** Keys of which exactly one must be there. */
  readonly exactlyOne?: readonly string[];
  /** Keys of which at least one must be there. */
  readonly atLeastOne?: readonly string[];
  readonly hint?: string;
}

function objectSchema(shape: Shape, rules: ObjectRules): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(shape).map(([key, field]) => [key, { description: field.description, ...field.reader.schema }]),
  );
  const needed = Object.keys(shape).filter((key) => shape[key]?.required === true);
  const alternatives = (keys: readonly string[]): readonly Json[] => keys.map((key) => ({ required: [key] }));
  return {
    type: "object",
    additionalProperties: false,
    minProperties: 1,
    properties,
    ...(needed.length > 0 ? { required: needed } : {}),
    ...(rules.exactlyOne ? { oneOf: alternatives(rules.exactlyOne) } : {}),
    ...(rules.atLeastOne ? { anyOf: alternatives(rules.atLeastOne) } : {}),
  };
}

/** A map with fixed keys; unknown keys are errors with the nearest known one. */
export function object<S extends Shape>(shape: S, rules: ObjectRules): Reader<ObjectOf<S>> {
  return {
    schema: objectSchema(shape, rules),
    expects: rules.expects,
    read: (node, reading) => readObject(shape, rules, node, reading),
  };
}

/** Reads a map with fixed keys, for shapes that are made for one reading and need no schema. */
export function readObject<S extends Shape>(
  shape: S,
  rules: ObjectRules,
  node: TreeNode,
  reading: Reading,
): ObjectOf<S> | Failed {
  if (node.kind !== "map") return mismatch(reading, node, rules.expects, rules.hint);
  const values = new Map<string, unknown>();
  const keys = new Map<string, Span>();
  for (const entry of node.entries) readEntry(shape, entry, reading, values, keys);
  const before = reading.found.length;
  checkPresence(shape, rules, node, reading);
  return reading.found.length > before || values.size < node.entries.length - removed(node, reading)
    ? FAILED
    : parseObject<S>(values, keys, node.span);
}

/** In a partial document `null` removes a key of an earlier one (JSON Merge Patch). */
function removed(node: MapNode, reading: Reading): number {
  return reading.partial ? node.entries.filter((entry) => isNull(entry.value)).length : 0;
}

function readEntry(
  shape: Shape,
  { key, value }: MapEntry,
  reading: Reading,
  values: Map<string, unknown>,
  keys: Map<string, Span>,
): void {
  const field = Object.hasOwn(shape, key.text) ? shape[key.text] : undefined;
  keys.set(key.text, key.span);
  if (field === undefined) {
    const hint = suggestion(key.text, Object.keys(shape));
    fail(reading, "ERR_POLICY_UNKNOWN_KEY", key.span, `unknown key \`${printable(key.text, 60)}\``, hint);
    return;
  }
  if (reading.partial && isNull(value) && !isNothing(value)) return;
  const read = field.reader.read(value, reading);
  if (read !== FAILED) values.set(key.text, read);
}

function checkPresence(shape: Shape, rules: ObjectRules, node: MapNode, reading: Reading): void {
  const has = (key: string): boolean => entryOf(node, key) !== undefined;
  const unknown = node.entries.map(({ key }) => key.text).filter((key) => !Object.hasOwn(shape, key));
  // A mistyped key was already reported, with the key that is meant.
  const mistyped = new Set(unknown.map((key) => nearest(key, Object.keys(shape))));
  const quoted = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(", ");
  const at = node.entries[0]?.key.span ?? node.span;
  if (node.entries.length === 0) {
    fail(reading, "ERR_POLICY_EMPTY", node.span, `an empty map, where ${rules.expects} is meant`, rules.hint);
    return;
  }
  if (reading.partial) return;
  for (const [key, field] of Object.entries(shape)) {
    if (field.required && !has(key) && !mistyped.has(key))
      fail(reading, "ERR_POLICY_MISSING_KEY", at, `the key \`${key}\` is missing`, field.description);
  }
  if (unknown.length > 0) return;
  const one = rules.exactlyOne?.filter(has);
  if (one !== undefined && one.length !== 1) {
    const message = one.length === 0 ? "one key is missing here" : `${quoted(one)} exclude each other`;
    fail(
      reading,
      one.length === 0 ? "ERR_POLICY_MISSING_KEY" : "ERR_POLICY_CONFLICT",
      at,
      message,
      `exactly one of ${quoted(rules.exactlyOne ?? [])}`,
    );
  }
  if (rules.atLeastOne !== undefined && !rules.atLeastOne.some(has))
    fail(
      reading,
      "ERR_POLICY_MISSING_KEY",
      at,
      "something is missing here",
      `at least one of ${quoted(rules.atLeastOne)}`,
    );
}

function parseObject<S extends Shape>(
  values: ReadonlyMap<string, unknown>,
  keys: ReadonlyMap<string, Span>,
  span: Span,
): ObjectOf<S> {
  // INVARIANT: each value was read by its own field's reader, and every required key was demanded (or the reading is partial, whose values nobody uses).
  return { ...Object.fromEntries(values), span, keys } as ObjectOf<S>;
}
