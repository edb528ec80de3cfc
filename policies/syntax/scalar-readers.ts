import type { DiagnosticCode } from "../diagnostics/codes.ts";
import { suggestion } from "../diagnostics/nearest.ts";
import { printable } from "../printable.ts";
import { plainMeaning } from "./plain-meaning.ts";
import { FAILED, fail, type JsonSchema, type Located, mismatch, type Reader } from "./reader.ts";
import { isNothing, type ScalarNode, spanWithin } from "./tree.ts";

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
