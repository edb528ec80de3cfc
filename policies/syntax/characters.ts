import { diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../model/index.ts";
import type { SourceText } from "./source-text.ts";

/**
 * Characters that must not stand raw in a policy file: controls, lone carriage returns and surrogates, other line separators,
 * bidi and zero-width marks, and U+FFFD, which is what bytes that are not UTF-8 decode to.
 */
const FORBIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that are refused
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]|\r(?!\n)|\p{Cs}/gu;

const MAX_REPORTED = 20;

function describe(character: string): readonly [message: string, hint: string] {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  if (character === "\ufffd") return ["this is not valid UTF-8", "save the file as UTF-8"];
  if (character === "\0") return ["a NUL character", "is this a binary file, or UTF-16? Save it as UTF-8"];
  if (character === "\r") return ["a carriage return without a line feed", "end lines with LF or CR LF"];
  return [`the invisible character U+${code}`, 'remove it, or write it in double quotes as "\\uXXXX"'];
}

/** Finds the characters that make a text read otherwise than it is (SECURITY: an invisible character can hide or turn a rule). */
export function scanCharacters(source: SourceText): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const match of source.text.matchAll(FORBIDDEN)) {
    if (found.length === MAX_REPORTED) break;
    const [message, hint] = describe(match[0]);
    const span = source.span(match.index, match.index + match[0].length);
    found.push(diagnostic("ERR_POLICY_CHARACTER", span, message, hint));
  }
  return found;
}
