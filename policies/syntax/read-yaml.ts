import { Composer, type Document, isMap, isScalar, isSeq, Parser, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic, Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import { scanCharacters } from "./characters.ts";
import type { SourceText } from "./source-text.ts";
import { MAX_FINDINGS, scanTokens } from "./token-scan.ts";
import { tornRequests } from "./torn-requests.ts";
import {
  type BrokenNode,
  isNothing,
  type ListNode,
  type MapEntry,
  type MapNode,
  type ScalarNode,
  type TreeNode,
} from "./tree.ts";

/** The most one policy file may hold, in bytes of UTF-8. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** One document; `broken` where its YAML has errors, so that nothing but its name can be trusted. */
export interface YamlDocument {
  readonly tree: TreeNode;
  readonly broken: boolean;
}

/** The documents of one file and what is wrong with its YAML. Never throws, time linear in the text. */
export interface YamlFile {
  readonly trees: readonly YamlDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

// Scalars stay text (`failsafe`): what a plain `1.0` or `no` may mean is the reader's question, who knows the place.
// Unique keys are checked here, because the library's own check is quadratic.
const OPTIONS = {
  strict: true,
  version: "1.2",
  schema: "failsafe",
  merge: false,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** Reads the YAML of one file into trees, with every trap of YAML as a finding. */
export function readYaml(source: SourceText): YamlFile {
  const sizeBytes = Buffer.byteLength(source.text);
  if (sizeBytes > MAX_FILE_BYTES) {
    const message = `the file has ${sizeBytes} bytes, more than ${MAX_FILE_BYTES}`;
    return {
      trees: [],
      diagnostics: [diagnostic("ERR_POLICY_TOO_LARGE", source.span(0, 0), message, "split it into several files")],
    };
  }
  const characters = scanCharacters(source);
  if (characters.length > 0) return { trees: [], diagnostics: characters };
  const tokens = [...new Parser().parse(source.text)];
  const scan = scanTokens(source, tokens);
  if (!scan.composable) return { trees: [], diagnostics: scan.diagnostics };
  const converter = new Converter(source);
  const trees: YamlDocument[] = [];
  for (const document of new Composer(OPTIONS).compose(tokens, true, source.text.length))
    trees.push(...converter.document(document));
  return { trees, diagnostics: limited([...scan.diagnostics, ...converter.found], source) };
}

function limited(found: readonly Diagnostic[], source: SourceText): readonly Diagnostic[] {
  if (found.length <= MAX_FINDINGS) return found;
  const message = `${found.length - MAX_FINDINGS} more errors of YAML in this file are not shown`;
  return [...found.slice(0, MAX_FINDINGS), diagnostic("ERR_POLICY_TOO_MANY", source.span(0, 0), message)];
}

/** Turns composed documents of one file into trees and collects what is wrong. */
class Converter {
  readonly found: Diagnostic[] = [];
  readonly #source: SourceText;
  #problems: readonly Problem[] = [];
  /** Offsets of flow lists of requests that YAML tears apart. */
  #torn: (readonly [start: number, end: number])[] = [];

  constructor(source: SourceText) {
    this.#source = source;
  }

  document(document: Document.Parsed | Document): readonly YamlDocument[] {
    this.#torn = [];
    this.#problems = [...document.errors, ...document.warnings];
    const tree = document.contents === null ? undefined : this.#node(document.contents);
    const left = this.#problems.filter(({ pos }) => !this.#torn.some(([from, to]) => pos[0] >= from && pos[0] <= to));
    for (const problem of left) this.#problem(problem);
    return tree === undefined || isNothing(tree) ? [] : [{ tree, broken: left.length > 0 }];
  }

  #problem({ pos, message: raw, code }: Problem): void {
    // An alias without an anchor was already refused as an alias, a tag as a tag.
    if (code === "TAG_RESOLVE_FAILED" || raw.startsWith("Unresolved alias")) return;
    const text = printable(raw.split("\n", 1)[0] ?? "");
    const message = text.charAt(0).toLowerCase() + text.slice(1);
    this.found.push(diagnostic("ERR_POLICY_YAML", this.#source.span(pos[0], pos[1]), message, HINTS[code]));
  }

  #span(range: readonly number[] | null | undefined): Span {
    return this.#source.span(range?.[0] ?? 0, range?.[1] ?? 0);
  }

  #node(node: unknown): TreeNode {
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return this.#list(node);
    if (isMap(node)) return this.#map(node);
    const range =
      typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range) ? node.range : [0, 0];
    return { kind: "broken", span: this.#span(range.map(Number)) };
  }

  #scalar(node: Scalar): ScalarNode {
    const [start, end] = [node.range?.[0] ?? 0, node.range?.[1] ?? 0];
    const style =
      node.type === "PLAIN" || node.type === undefined ? "plain" : node.type.startsWith("QUOTE") ? "quoted" : "block";
    const text = style === "plain" ? String(node.source ?? "") : String(node.value);
    const lead = style === "quoted" ? 1 : 0;
    const verbatim =
      style !== "block" && this.#source.text.startsWith(text, start + lead) && start + 2 * lead + text.length === end;
    const base = { kind: "scalar", text, style, span: this.#source.span(start, end) } as const;
    return verbatim ? { ...base, lead } : base;
  }

  #list(node: YAMLSeq): ListNode {
    const items = node.items.map((item) => this.#node(item));
    return { kind: "list", items, flow: node.flow === true, span: this.#span(node.range) };
  }

  #map(node: YAMLMap): MapNode {
    const entries: MapEntry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of node.items) {
      const key = this.#key(pair.key);
      if (key === undefined) continue;
      const torn = key.text === "requests" ? this.#tornList(pair.value) : undefined;
      const value = torn ?? (pair.value === null ? nothingAfter(key) : this.#node(pair.value));
      const first = seen.get(key.text);
      seen.set(key.text, first ?? key.span);
      if (first === undefined) entries.push({ key, value });
      else this.#duplicate(key, first);
    }
    return { kind: "map", entries, span: this.#span(node.range) };
  }

  #duplicate(key: ScalarNode, first: Span): void {
    const message = `the key \`${printable(key.text)}\` is here a second time`;
    this.found.push(
      diagnostic("ERR_POLICY_DUPLICATE_KEY", key.span, message, `the first is on line ${first.line}; keep one of them`),
    );
  }

  #key(node: unknown): ScalarNode | undefined {
    if (!isScalar(node)) {
      const place = this.#node(node);
      if (place.kind !== "broken") this.found.push(diagnostic("ERR_POLICY_TYPE", place.span, "a key must be text"));
      return undefined;
    }
    const key = this.#scalar(node);
    if (key.text === "<<" && key.style === "plain") {
      this.found.push(
        diagnostic(
          "ERR_POLICY_MERGE_KEY",
          key.span,
          "merge keys are not part of this language",
          "write the keys out at each place",
        ),
      );
      return undefined;
    }
    return key;
  }

  /** A flow list of requests that holds `{…}` outside quotes: YAML reads a map there. One finding instead of the parser's many. */
  #tornList(value: unknown): BrokenNode | undefined {
    if (!isSeq(value) || value.flow !== true) return undefined;
    const [start, end] = [value.range?.[0] ?? 0, value.range?.[2] ?? 0];
    if (!this.#problems.some(({ pos }) => pos[0] >= start && pos[0] <= end)) return undefined;
    this.#torn.push([start, end]);
    const span = this.#source.span(start, value.range?.[1] ?? end);
    this.found.push(tornRequests(span));
    return { kind: "broken", span };
  }
}

interface Problem {
  readonly pos: readonly [number, number];
  readonly message: string;
  readonly code: string;
}

function nothingAfter(key: ScalarNode): ScalarNode {
  const { file, endLine, endColumn } = key.span;
  const span = { file, line: endLine, column: endColumn, endLine, endColumn };
  return { kind: "scalar", text: "", style: "plain", span };
}

const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  BLOCK_AS_IMPLICIT_KEY: "a text with `: ` in it needs quotes",
  MISSING_CHAR: "is a colon, a comma or a quote missing?",
  BAD_INDENT: "check the indentation of this and the line before",
  BAD_SCALAR_START: "a text that starts with this character needs quotes",
  BAD_DQ_ESCAPE: "write a backslash as `\\\\` in double quotes, or use single quotes",
};
