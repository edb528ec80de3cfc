import { Lexer } from "yaml";
import type { Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { PolicyFile } from "../syntax/parse-documents.ts";
import { type SourceText, sourceText } from "../syntax/source-text.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./fingerprint.ts";

/** One `# cellwall:ignore <id> <reason>` comment. */
interface Suppression {
  readonly id: string;
  readonly reason: string;
  readonly span: Span;
  /** The line that it speaks of: its own where something stands before it, else the next with content. */
  readonly line: number;
}

/** A finding that a comment silences, with the comment's reason. */
export interface SuppressedFinding extends Finding {
  readonly suppressedBecause: string;
}

/** What `suppress` returns. */
export interface Suppressed {
  /** Findings that stand, those about the comments themselves included. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
}

/** Options of `suppress`. */
export interface SuppressOptions {
  readonly files: readonly PolicyFile[];
  /** Whether a finding of that id could have come out at all; what could not is never called unused. All could by default. */
  readonly looked?: (id: string) => boolean;
}

/**
 * Ids that no comment silences: a team must not be able to wave through what a guardrail or a grant forbids, nor a test.
 *
 * SECURITY: the comment stands in the file of whoever it would let through.
 */
const FINAL = /^(?:guardrail-|team-|suppression-|test-failed$)/;

/** Takes out what `# cellwall:ignore <id> <reason>` on the same line or the line above silences (docs/lint.md, "Suppressing"). */
export function suppress(findings: readonly Finding[], { files, looked = () => true }: SuppressOptions): Suppressed {
  const comments = files.flatMap(suppressionsOf);
  const effective = comments.filter(({ id, reason }) => reason !== "" && !FINAL.test(id));
  const byPlace = new Map(effective.map((one) => [placeOf(one.span.file, one.line, one.id), one]));
  const used = new Set<Suppression>();
  const standing: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const one of findings) {
    const comment = one.span && byPlace.get(placeOf(one.span.file, one.span.line, one.id));
    if (comment === undefined) standing.push(one);
    else {
      used.add(comment);
      suppressed.push({ ...one, suppressedBecause: comment.reason });
    }
  }
  const about = comments.flatMap((one) => judge(one, used.has(one) || !looked(one.id)));
  return { findings: [...standing, ...about], suppressed };
}

function placeOf(file: string, line: number, id: string): string {
  return `${file}\0${line}\0${id}`;
}

function judge({ id, reason, span }: Suppression, used: boolean): readonly Finding[] {
  const shown = printable(id, 80);
  const about = [span.file, id];
  if (id === "" || reason === "")
    return [
      finding({
        id: "suppression-without-reason",
        severity: "error",
        span,
        message: id === "" ? "a suppression that names no finding" : `a suppression of \`${shown}\` without a reason`,
        reason: "whoever reads the file later cannot tell a decision from a convenience, so it silences nothing",
        remedy: `write \`# cellwall:ignore ${id === "" ? "<id>" : shown} <reason>\``,
        about,
      }),
    ];
  if (FINAL.test(id))
    return [
      finding({
        id: "suppression-refused",
        severity: "error",
        span,
        message: `\`${shown}\` cannot be suppressed`,
        reason: "guardrails, grants and failed tests hold for whoever writes the file",
        remedy: "remove the comment and what is found",
        about,
      }),
    ];
  if (used) return [];
  return [
    finding({
      id: "suppression-unused",
      severity: "warning",
      span,
      message: `a suppression of \`${shown}\` that silences nothing`,
      reason: "it would silence the next finding here, which nobody has judged",
      remedy: "remove the comment",
      about,
    }),
  ];
}

const MARK = "cellwall:ignore";
const FORM = /^#\s*cellwall:ignore(?:\s+(\S+))?(?:\s+(.*?))?\s*$/;

/** The suppressions of one file. Only comments count: the mark within a text is text. */
function suppressionsOf({ path, text }: PolicyFile): readonly Suppression[] {
  if (!text.includes(MARK)) return [];
  const source = sourceText(printable(path, 1024), text);
  return commentsOf(source.text).flatMap(({ start, comment }) => {
    const [whole, id = "", reason = ""] = FORM.exec(comment) ?? [];
    if (whole === undefined) return [];
    const span = source.span(start, start + comment.length);
    return [{ id, reason, span, line: lineOf(source, span, start) }];
  });
}

function lineOf({ text }: SourceText, span: Span, start: number): number {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  if (text.slice(lineStart, start).trim() !== "") return span.line;
  const rest = text.slice(start).split("\n");
  const next = rest.findIndex((line, at) => at > 0 && line.trim() !== "" && !line.trim().startsWith("#"));
  return next === -1 ? span.line : span.line + next;
}

/** Marks of the lexer that stand for no character of the text: byte order mark, document, flow error, scalar. */
const MARKS: ReadonlySet<string> = new Set(["\ufeff", "\u0002", "\u0018", "\u001f"]);

function commentsOf(text: string): readonly { readonly start: number; readonly comment: string }[] {
  const comments: { start: number; comment: string }[] = [];
  let at = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) {
      scalar = token === "\u001f";
      continue;
    }
    if (!scalar && token.startsWith("#")) comments.push({ start: at, comment: token });
    scalar = false;
    at += token.length;
  }
  return comments;
}
