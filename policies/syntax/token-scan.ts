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

/** What stands directly in a token, last first, so that a stack yields it in order. Loops: a file may hold more parts than a call takes arguments. */
function children({ token, depth }: Visit): Visit[] {
  const found: Visit[] = [];
  const add = (part: CST.Token | null | undefined, deeper: number): void => {
    if (part) found.push({ token: part, depth: depth + deeper });
  };
  if (token.type === "document") {
    for (const part of token.start) add(part, 0);
    add(token.value, 0);
  }
  if ("props" in token) for (const part of token.props) add(part, 0);
  if ("items" in token) {
    for (const item of token.items) {
      for (const part of item.start) add(part, 1);
      add(item.key, 1);
      for (const part of item.sep ?? []) add(part, 1);
      add(item.value, 1);
    }
  }
  return found.reverse();
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
  const stack: Visit[] = tokens.map((token) => ({ token, depth: 0 })).reverse();
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
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
    for (const child of children(visit)) stack.push(child);
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
