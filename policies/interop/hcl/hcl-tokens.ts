import { InteropError } from "../interop-error.ts";

/** One token of HCL, with its place from 1. `word` is a name, a number or a reference such as `aws_vpc.main.id`. */
export interface Token {
  readonly kind: "word" | "string" | "sign" | "newline";
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const FORMS: readonly (readonly [Token["kind"] | "blank", RegExp])[] = [
  ["blank", /[ \t\r]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  ["newline", /\n/y],
  ["string", /<<-?([A-Za-z_]\w*)\r?\n[\s\S]*?\n[ \t]*\1(?=\r?\n|$)/y],
  ["string", /"(?:\\.|\$\{[^}\n]*\}|[^"\\\n])*"/y],
  ["word", /[A-Za-z0-9_*][\w.*-]*/y],
  ["sign", /[^\s]/y],
];

/** The tokens of a text. Throws `InteropError` `ERR_POLICY_INTEROP_SYNTAX` for a string that does not end. */
export function hclTokens(text: string, file: string): readonly Token[] {
  const tokens: Token[] = [];
  let [at, line, start] = [0, 1, 0];
  while (at < text.length) {
    const found = match(text, at);
    const column = at - start + 1;
    if (found === undefined || (found.kind === "sign" && found.text === '"'))
      throw new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${file}:${line}:${column}: a text that does not end`);
    if (found.kind !== "blank") tokens.push({ kind: found.kind, text: found.text, line, column });
    const lines = found.text.split("\n");
    if (lines.length > 1) {
      line += lines.length - 1;
      start = at + found.text.lastIndexOf("\n") + 1;
    }
    at += found.text.length;
  }
  return tokens;
}

function match(
  text: string,
  at: number,
): { readonly kind: Token["kind"] | "blank"; readonly text: string } | undefined {
  for (const [kind, form] of FORMS) {
    form.lastIndex = at;
    const found = form.exec(text);
    if (found !== null) return { kind, text: found[0] };
  }
  return undefined;
}
