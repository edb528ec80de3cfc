import { type Document, isMap, isScalar, parseAllDocuments } from "yaml";
import type { Diagnostic } from "../model/index.ts";
import type { PolicyFile } from "../syntax/parse-documents.ts";
import { readYaml } from "../syntax/read-yaml.ts";
import { sourceText } from "../syntax/source-text.ts";
import type { TreeNode } from "../syntax/tree.ts";
import { arrange } from "./arrange.ts";
import { keyOrderOf } from "./key-order.ts";
import { CommentSettler, commentTokens } from "./settle-comments.ts";

/** A text in its one form, or why it was left as it is. */
export type Formatted =
  | { readonly ok: true; readonly text: string; readonly changed: boolean }
  /** `diagnostics` says what is wrong with the YAML; empty where the form could not be shown to mean the same. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const PARSE = { version: "1.2", schema: "failsafe", merge: false, uniqueKeys: false, logLevel: "silent" } as const;
const PRINT = { indent: 2, indentSeq: true, lineWidth: 0, flowCollectionPadding: true } as const;

/**
 * Brings a policy file into its one form: keys in the order of the language, one request a line, two spaces, one empty line at most,
 * `\n` at line ends. Comments stay with what they stand before. What it means and how scalars are quoted never changes: a text of which that
 * could not be shown is left as it is. Formatting what is formatted changes nothing.
 */
export function formatPolicyText({ path, text }: PolicyFile): Formatted {
  const read = readYaml(sourceText(path, text));
  if (read.diagnostics.some(({ severity }) => severity === "error"))
    return { ok: false, diagnostics: read.diagnostics };
  const plain = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  const formatted = settled(plain);
  if (formatted === undefined || !sameMeaning(plain, formatted)) return { ok: false, diagnostics: [] };
  return { ok: true, text: formatted, changed: formatted !== text };
}

/** How often a text is printed until nothing moves any more; once is enough but for comments at odd places. */
const MOST_ROUNDS = 4;

/** INVARIANT: what comes out is printed as itself. */
function settled(text: string): string | undefined {
  let last: string | undefined = text;
  for (let round = 0; round < MOST_ROUNDS && last !== undefined; round++) {
    const next = printed(last);
    if (next === last) return next;
    last = next;
  }
  return undefined;
}

function printed(text: string): string | undefined {
  const documents = parseAllDocuments(text, PARSE);
  // Of a text without documents the library keeps a comment alone.
  if (!Array.isArray(documents) || documents.length === 0) return text.trim() === "" ? "" : `${text.trim()}\n`;
  if (documents.some(({ errors }) => errors.length > 0)) return undefined;
  const settler = new CommentSettler(text);
  for (const document of documents) settler.settle(document);
  const texts = documents.map(printDocument).filter((one) => one !== "");
  return texts.join("---\n");
}

function printDocument(document: Document): string {
  const { contents } = document;
  if (
    contents === null ||
    (isScalar(contents) &&
      contents.value === "" &&
      contents.type !== "QUOTE_DOUBLE" &&
      contents.type !== "QUOTE_SINGLE")
  )
    return commentsAlone(document);
  const kind = isMap(contents) ? contents.get("kind", true) : undefined;
  arrange(contents, keyOrderOf(isScalar(kind) ? String(kind.value) : undefined), true);
  contents.spaceBefore = false;
  if (document.directives !== undefined) document.directives.docStart = null;
  const text = document.toString(PRINT);
  return `${text.trimEnd()}\n`;
}

/** A document without content says nothing; its comments are kept. */
function commentsAlone(document: Document): string {
  const node = document.contents;
  const comments = [
    document.commentBefore,
    isScalar(node) ? node.commentBefore : null,
    isScalar(node) ? node.comment : null,
    document.comment,
  ];
  const lines = comments.flatMap((comment) =>
    comment == null ? [] : comment.split("\n").map((line) => (line === "" ? "" : `#${line}`)),
  );
  return lines.length === 0 ? "" : `${lines.join("\n").trimEnd()}\n`;
}

/** SECURITY: a formatter that changed what a policy means would change who may do what; so it is looked at, each time. */
function sameMeaning(before: string, after: string): boolean {
  return meaningOf(before) === meaningOf(after) && commentsOf(before) === commentsOf(after);
}

function meaningOf(text: string): string {
  const { trees, diagnostics } = readYaml(sourceText("", text));
  return JSON.stringify([trees.map(({ tree }) => plainTree(tree)), diagnostics.length]);
}

/** A tree without places and without the order of keys. */
function plainTree(node: TreeNode): unknown {
  switch (node.kind) {
    case "scalar":
      return [node.style, node.text];
    case "list":
      return node.items.map(plainTree);
    case "map":
      return Object.fromEntries(
        node.entries
          .map(({ key, value }) => [key.text, [key.style, plainTree(value)]] as const)
          .sort(([left], [right]) => (left < right ? -1 : 1)),
      );
    case "broken":
      return "broken";
  }
}

function commentsOf(text: string): string {
  return commentTokens(text)
    .map((comment) => comment.text)
    .sort()
    .join("\n");
}
