import { type DiagnosticCode, diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic, Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import { isNothing, isNull, type TreeNode } from "./tree.ts";

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
