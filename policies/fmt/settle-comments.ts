import { type Document, isCollection, isNode, isPair, isScalar, Lexer, type Node } from "yaml";

/** One comment of the text. */
export interface CommentToken {
  /** With its `#`, without blanks at its end. */
  readonly text: string;
  /** Counts from 0. */
  readonly column: number;
  /** Nothing but blanks stand before it on its line. */
  readonly alone: boolean;
  /** An empty line stands before it. */
  readonly afterEmpty: boolean;
}

/** Marks of the lexer that stand for no character of the text: byte order mark, document, flow error, scalar. */
const MARKS: ReadonlySet<string> = new Set(["\ufeff", "\u0002", "\u0018", "\u001f"]);

/** The comments of a text in their order. */
export function commentTokens(text: string): readonly CommentToken[] {
  const comments: CommentToken[] = [];
  let at = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const isMark = MARKS.has(token);
    if (!isMark && !scalar && token.startsWith("#")) {
      const lineStart = text.lastIndexOf("\n", at - 1) + 1;
      const alone = text.slice(lineStart, at).trim() === "";
      const afterEmpty = /\n[ \t]*\n$/.test(text.slice(Math.max(0, lineStart - 200), lineStart));
      comments.push({ text: token.trimEnd(), column: at - lineStart, alone, afterEmpty });
    }
    scalar = isMark ? token === "\u001f" : false;
    if (!isMark) at += token.length;
  }
  return comments;
}

const NOWHERE = { column: 0, alone: false, afterEmpty: false };

/** A line of a comment, without its `#`. */
interface Line {
  readonly text: string;
  readonly column: number;
  readonly alone: boolean;
  readonly afterEmpty: boolean;
}

/**
 * Gives comments after the end of a block to what they are indented like. The YAML library hands all of them to the innermost block, so
 * that a comment before a key would go into the list above it.
 */
export class CommentSettler {
  readonly #tokens: readonly CommentToken[];
  readonly #text: string;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = commentTokens(text);
  }

  settle(document: Document): void {
    this.#columns(document.commentBefore);
    const { contents } = document;
    const left = isNode(contents) ? this.#visit(contents) : [];
    this.#columns(document.comment);
    const own = isCollection(contents) ? contents.comment : undefined;
    if (isCollection(contents)) contents.comment = null;
    const lines = [own, ...left.map(({ text }) => text), document.comment].filter((line) => line != null);
    document.comment = commentOf(
      lines
        .join("\n")
        .split("\n")
        .map((text) => ({ text })),
    );
  }

  /** Returns the lines that belong further out. */
  #visit(node: Node): readonly Line[] {
    this.#columns(node.commentBefore);
    if (!isCollection(node) || node.flow === true) return this.#leaf(node);
    const column = this.#columnOf(node);
    let carried: readonly Line[] = [];
    for (const item of node.items) {
      const first = isPair(item) ? item.key : item;
      if (carried.length > 0 && isNode(first)) standBefore(first, carried);
      carried = this.#item(item);
    }
    const own = [...carried, ...this.#columns(node.comment)];
    const [kept, further] = divided(own, (line) => line.column < column);
    node.comment = commentOf(kept);
    return further;
  }

  #item(item: unknown): readonly Line[] {
    if (!isPair(item)) return isNode(item) ? this.#visit(item) : [];
    if (isNode(item.key)) this.#visit(item.key);
    return isNode(item.value) ? this.#visit(item.value) : [];
  }

  /** What follows on lines of its own after a scalar or a flow collection stands before what comes next. */
  #leaf(node: Node): readonly Line[] {
    if (isCollection(node)) for (const item of node.items) this.#item(item);
    const lines = this.#columns(node.comment);
    if (!isScalar(node)) return [];
    const [kept, further] = divided(lines, (line) => line.alone);
    node.comment = commentOf(kept);
    return further;
  }

  #columnOf(node: Node): number {
    const start = node.range?.[0] ?? 0;
    return start - (this.#text.lastIndexOf("\n", start - 1) + 1);
  }

  /** The lines of a comment with their places in the text; comments are met in the order of the text. */
  #columns(comment: string | null | undefined): readonly Line[] {
    if (comment == null) return [];
    return comment.split("\n").map((line) => {
      if (line.trim() === "") return { text: line, column: Number.MAX_SAFE_INTEGER, alone: true, afterEmpty: true };
      const { column, alone, afterEmpty } = this.#take(`#${line}`.trimEnd()) ?? NOWHERE;
      return { text: line, column, alone, afterEmpty };
    });
  }

  #take(text: string): CommentToken | undefined {
    const at = this.#tokens.findIndex((token, index) => index >= this.#next && token.text === text);
    if (at === -1) return undefined;
    this.#next = at + 1;
    return this.#tokens[at];
  }
}

/** Lines up to the first that belongs further out, and the others; empty lines go with what follows them. */
function divided(
  lines: readonly Line[],
  isFurther: (line: Line) => boolean,
): readonly [readonly Line[], readonly Line[]] {
  let cut = lines.findIndex((line) => line.text.trim() !== "" && isFurther(line));
  if (cut === -1) return [lines, []];
  while (cut > 0 && lines[cut - 1]?.text.trim() === "") cut--;
  return [lines.slice(0, cut), lines.slice(cut)];
}

/** A comment of lines, without empty ones at its ends. */
function commentOf(lines: readonly Pick<Line, "text">[]): string | null {
  const text = lines.map((line) => line.text).join("\n");
  const bare = text.replace(/^(?:[ \t]*\n)+/, "").replace(/(?:\n[ \t]*)+$/, "");
  return bare.trim() === "" ? null : bare;
}

/** Puts lines before a node; an empty line before them stays one. */
function standBefore(node: Node, lines: readonly Line[]): void {
  const comment = commentOf(lines);
  if (comment === null) return;
  if (lines.find(({ text }) => text.trim() !== "")?.afterEmpty === true) node.spaceBefore = true;
  node.commentBefore = node.commentBefore == null ? comment : `${comment}\n${node.commentBefore}`;
}
