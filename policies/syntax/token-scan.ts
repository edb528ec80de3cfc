import type { CST } from "yaml";
import { diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../model/index.ts";
import type { SourceText } from "./source-text.ts";

/** How deep lists and maps may stand in one another. The deepest valid document needs 12. */
export const MAX_DEPTH = 40;

/** From this many findings on, the rest of a file is not looked at. */
export const MAX_FINDINGS = 200;

/** What the tokens of a file hold that this language does not have, found without recursion, before anything is composed. */
export interface TokenScan {
  readonly diagnostics: readonly Diagnostic[];
  /** False where composing would be pointless or dangerous. */
  readonly composable: boolean;
}

interface Visit {
  readonly token: CST.Token | CST.SourceToken;
  readonly depth: number;
}

const REFUSED: Readonly<
  Record<string, readonly ["ERR_POLICY_ALIAS" | "ERR_POLICY_ANCHOR" | "ERR_POLICY_TAG", string, string]>
> = {
  alias: ["ERR_POLICY_ALIAS", "aliases are not part of this language", "write the value out"],
  anchor: ["ERR_POLICY_ANCHOR", "anchors are not part of this language", "write the value out at each place"],
  tag: ["ERR_POLICY_TAG", "tags are not part of this language", "remove the tag; quote the value if it is text"],
};

const DIRECTIVE = ["ERR_POLICY_DIRECTIVE", "YAML directives are not part of this language", "remove the line"] as const;

type Part = CST.Token | CST.SourceToken;

/** Tokens that are yet to be looked at, each with its depth; the last one is the next. Two lists, for a file has very many tokens. */
class Pending {
  readonly #parts: Part[] = [];
  readonly #depths: number[] = [];

  constructor(tokens: readonly CST.Token[]) {
    for (let at = tokens.length - 1; at >= 0; at--) this.#add(tokens[at], 0);
  }

  next(): Visit | undefined {
    const token = this.#parts.pop();
    const depth = this.#depths.pop();
    return token === undefined || depth === undefined ? undefined : { token, depth };
  }

  /** Adds what stands directly in a token, last first. Loops: a file may hold more parts than a call takes arguments. */
  addChildren({ token, depth }: Visit): void {
    if ("items" in token) {
      for (let at = token.items.length - 1; at >= 0; at--) {
        const item = token.items[at];
        this.#add(item?.value, depth + 1);
        this.#addAll(item?.sep, depth + 1);
        this.#add(item?.key, depth + 1);
        this.#addAll(item?.start, depth + 1);
      }
    }
    if ("props" in token) this.#addAll(token.props, depth);
    if (token.type === "document") {
      this.#add(token.value, depth);
      this.#addAll(token.start, depth);
    }
  }

  #addAll(parts: readonly Part[] | undefined, depth: number): void {
    if (parts === undefined) return;
    for (let at = parts.length - 1; at >= 0; at--) this.#add(parts[at], depth);
  }

  #add(part: Part | null | undefined, depth: number): void {
    if (!part) return;
    this.#parts.push(part);
    this.#depths.push(depth);
  }
}

function refusalOf(source: SourceText, token: CST.Token | CST.SourceToken): Diagnostic | undefined {
  const refused = token.type === "directive" ? DIRECTIVE : REFUSED[token.type];
  if (refused === undefined) return undefined;
  const span = source.span(token.offset, token.offset + ("source" in token ? token.source.length : 1));
  return diagnostic(refused[0], span, refused[1], refused[2]);
}

/** Looks at every token once: aliases, anchors, tags, directives and depth. */
export function scanTokens(source: SourceText, tokens: readonly CST.Token[]): TokenScan {
  const diagnostics: Diagnostic[] = [];
  let errors = 0;
  const pending = new Pending(tokens);
  for (let visit = pending.next(); visit !== undefined; visit = pending.next()) {
    const { token } = visit;
    if (visit.depth > MAX_DEPTH) {
      const span = source.span(token.offset, token.offset + 1);
      const message = `lists and maps stand more than ${MAX_DEPTH} deep in one another`;
      return { diagnostics: [...diagnostics, diagnostic("ERR_POLICY_TOO_DEEP", span, message)], composable: false };
    }
    if (token.type === "error") errors += 1;
    const refused = refusalOf(source, token);
    if (refused !== undefined) diagnostics.push(refused);
    if (diagnostics.length + errors > MAX_FINDINGS)
      return { diagnostics: [...diagnostics, tooMany(source, token)], composable: false };
    pending.addChildren(visit);
  }
  return { diagnostics, composable: true };
}

function tooMany(source: SourceText, token: CST.Token): Diagnostic {
  const message = "too many errors; the rest of this file was not read";
  return diagnostic(
    "ERR_POLICY_TOO_MANY",
    source.span(token.offset, token.offset + 1),
    message,
    "is this a policy file?",
  );
}
