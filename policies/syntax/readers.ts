import { type DiagnosticCode, diagnostic } from "../diagnostics/codes.ts";
import { nearest, suggestion } from "../diagnostics/nearest.ts";
import type { Diagnostic, Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import { plainMeaning } from "./plain-meaning.ts";
import {
  entryOf,
  isNothing,
  isNull,
  type MapEntry,
  type MapNode,
  type ScalarNode,
  spanWithin,
  type TreeNode,
} from "./tree.ts";

/** A JSON value, as JSON Schemas are made of. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, Json>>;

/** Where findings go while a document is read. */
export interface Reading {
  readonly found: Diagnostic[];
  /** A part of a `Mesh` or `Workload` that others may complete: required keys are not demanded at the document's own levels. */
  readonly partial: boolean;
}

/** What failed to be read; the finding is already in `Reading.found`. */
export const FAILED: unique symbol = Symbol("failed");
export type Failed = typeof FAILED;

/**
 * Reads one node and describes what it accepts: parser and JSON Schema come from this one source.
 * `read` reports every finding within the node, not the first only.
 */
export interface Reader<T> {
  readonly schema: JsonSchema;
  /** What is meant, for "expected …" texts. */
  readonly expects: string;
  read(node: TreeNode, reading: Reading): T | Failed;
}

/** The value that a reader yields. */
export type ValueOf<R> = R extends Reader<infer T> ? T : never;

/** A value with its place. */
export interface Located<T> {
  readonly value: T;
  readonly span: Span;
}

/** Reports and fails. */
export function fail(reading: Reading, code: DiagnosticCode, span: Span, message: string, hint?: string): Failed {
  reading.found.push(diagnostic(code, span, message, hint));
  return FAILED;
}

/** What a node is, for "… and not …" texts. */
export function nounOf(node: TreeNode): string {
  if (isNull(node)) return "nothing";
  if (node.kind === "scalar") return `\`${printable(node.text, 60)}\``;
  return node.kind === "list" ? "a list" : "a map";
}

/** Reports that a node is of another shape than its reader expects. */
export function mismatch(reading: Reading, node: TreeNode, expects: string, hint?: string): Failed {
  if (node.kind === "broken") return FAILED;
  if (isNothing(node))
    return fail(reading, "ERR_POLICY_EMPTY", node.span, `expected ${expects}, and nothing is written here`, hint);
  return fail(reading, "ERR_POLICY_TYPE", node.span, `expected ${expects}, not ${nounOf(node)}`, hint);
}

/** Says what a text must look like: `refuse` answers with message and hint where it does not. */
export interface TextRules {
  readonly expects: string;
  readonly schema?: JsonSchema;
  /** Accepts what YAML tools of old read as a date without quotes. */
  readonly dates?: boolean;
}

/** Any text. A plain scalar that YAML may read as something else must be quoted. */
export function text(rules: TextRules = { expects: "a text" }): Reader<ScalarNode> {
  return {
    schema: { type: "string", ...rules.schema },
    expects: rules.expects,
    read(node, reading) {
      if (node.kind !== "scalar" || isNothing(node)) return mismatch(reading, node, rules.expects);
      const meaning = node.style === "plain" ? plainMeaning(node.text) : "text";
      if (meaning === "text" || (rules.dates === true && meaning === "a date")) return node;
      const message = `YAML can read \`${printable(node.text, 60)}\` as ${meaning}, and ${rules.expects} is meant`;
      const quoted = `quote it: "${printable(node.text, 60)}"`;
      const hint = meaning === "nothing" ? `remove the key; if this text is meant, ${quoted}` : quoted;
      return fail(reading, "ERR_POLICY_NOT_TEXT", node.span, message, hint);
    },
  };
}

/** The outcome of looking at a text. */
export type Judged<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      readonly hint?: string | undefined;
      readonly code?: DiagnosticCode;
      /** Characters of the text that are to blame. */
      readonly at?: readonly [start: number, end: number];
    };

/** A text that `judge` turns into a value or refuses. */
export function parsed<T>(rules: TextRules, judge: (text: string) => Judged<T>): Reader<Located<T>> {
  const inner = text(rules);
  return {
    schema: inner.schema,
    expects: inner.expects,
    read(node, reading) {
      const scalar = inner.read(node, reading);
      if (scalar === FAILED) return FAILED;
      const judged = judge(scalar.text);
      if (judged.ok) return { value: judged.value, span: scalar.span };
      const span =
        judged.at === undefined
          ? scalar.span
          : spanWithin(scalar, judged.at[0], Math.max(judged.at[0] + 1, judged.at[1]));
      return fail(reading, judged.code ?? "ERR_POLICY_VALUE", span, judged.message, judged.hint);
    },
  };
}

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Reader<Located<T>> {
  const expects = words.length === 1 ? `\`${words[0]}\`` : `one of ${words.map((word) => `\`${word}\``).join(", ")}`;
  return parsed({ expects, schema: { enum: words } }, (given) => {
    const value = words.find((word) => word === given);
    if (value !== undefined) return { ok: true, value };
    return { ok: false, message: `\`${printable(given, 60)}\` is not ${expects}`, hint: suggestion(given, words) };
  });
}

/** A whole number, written plainly in decimal. */
export function integer(min: number, max: number, noun = "a whole number"): Reader<Located<number>> {
  const expects = `${noun} from ${min} to ${max}`;
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    expects,
    read(node, reading) {
      if (node.kind !== "scalar" || isNothing(node)) return mismatch(reading, node, expects);
      if (node.style !== "plain") return mismatch(reading, node, `${expects} without quotes`);
      const value = /^(?:0|[1-9][0-9]{0,15})$/.test(node.text) ? Number(node.text) : Number.NaN;
      if (value >= min && value <= max) return { value, span: node.span };
      return mismatch(reading, node, expects);
    },
  };
}

/** `true` or `false`; `only` narrows it to one of the two. */
export function flag(only?: boolean): Reader<Located<boolean>> {
  const expects = only === undefined ? "`true` or `false`" : `\`${only}\``;
  return {
    schema: only === undefined ? { type: "boolean" } : { const: only },
    expects,
    read(node, reading) {
      const word = node.kind === "scalar" && node.style === "plain" ? node.text : undefined;
      const value = word === "true" ? true : word === "false" ? false : undefined;
      if (value === undefined || (only !== undefined && value !== only)) return mismatch(reading, node, expects);
      return { value, span: node.span };
    },
  };
}

/** A list of at least one item. */
export function list<T>(item: Reader<T>, hint?: string): Reader<Located<readonly T[]>> {
  const expects = `a list, each item ${item.expects}`;
  return {
    schema: { type: "array", minItems: 1, items: item.schema },
    expects,
    read(node, reading) {
      if (node.kind !== "list")
        return mismatch(reading, node, expects, hint ?? "start each item on a line of its own with `- `");
      if (node.items.length === 0)
        return fail(
          reading,
          "ERR_POLICY_EMPTY",
          node.span,
          "an empty list",
          "remove the key, or say what belongs in the list",
        );
      const inner: Reading = { found: reading.found, partial: false };
      const read = node.items.map((one) => item.read(one, inner));
      const value = read.filter((one): one is Exclude<typeof one, Failed> => one !== FAILED);
      return value.length === read.length ? { value, span: node.span } : FAILED;
    },
  };
}

/** Entries of an open map, in the order written. */
export type Entries<T> = readonly { readonly key: ScalarNode; readonly value: T }[];

/** A map with free keys, at least one. */
export function mapOf<T>(key: Reader<ScalarNode>, value: Reader<T>): Reader<Located<Entries<T>>> {
  const expects = `a map from ${key.expects} to ${value.expects}`;
  return {
    schema: { type: "object", minProperties: 1, propertyNames: key.schema, additionalProperties: value.schema },
    expects,
    read(node, reading) {
      if (node.kind !== "map") return mismatch(reading, node, expects);
      if (node.entries.length === 0)
        return fail(
          reading,
          "ERR_POLICY_EMPTY",
          node.span,
          "an empty map",
          "remove the key, or say what belongs in the map",
        );
      const entries: { key: ScalarNode; value: T }[] = [];
      for (const entry of node.entries) {
        const name = key.read(entry.key, reading);
        if (reading.partial && isNull(entry.value)) continue;
        const read = value.read(entry.value, reading);
        if (name !== FAILED && read !== FAILED) entries.push({ key: name, value: read });
      }
      const whole = reading.partial || entries.length === node.entries.length;
      return whole ? { value: entries, span: node.span } : FAILED;
    },
  };
}

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
    read(node, reading) {
      if (node.kind !== "map") return mismatch(reading, node, rules.expects, rules.hint);
      const values = new Map<string, unknown>();
      const keys = new Map<string, Span>();
      for (const entry of node.entries) readEntry(shape, entry, reading, values, keys);
      const before = reading.found.length;
      checkPresence(shape, rules, node, reading);
      return reading.found.length > before || values.size < node.entries.length - removed(node, reading)
        ? FAILED
        : parseObject<S>(values, keys, node.span);
    },
  };
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

/** The same values, turned into something else. */
export function mapped<A, B>(inner: Reader<A>, turn: (value: A, reading: Reading) => B | Failed): Reader<B> {
  return {
    schema: inner.schema,
    expects: inner.expects,
    read(node, reading) {
      const read = inner.read(node, reading);
      return read === FAILED ? FAILED : turn(read, reading);
    },
  };
}
