import { encodePath } from "../path/encode-path.ts";

/** Characters that stand for themselves in canonical path text (docs/policy-language.md, "Paths"). */
const SAFE = /^[A-Za-z0-9._~!$&'()*+,=:@-]$/;

/** Percent-encodes a decoded segment into canonical path text. */
function encodeSegment(segment: string): string {
  return encodePath([segment]).slice(1);
}

/** A decoded literal, or what keeps it from being one. `at` are offsets into the text. */
export type LiteralResult =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string; readonly hint?: string; readonly at: readonly [number, number] };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeBytes(text: string): string | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "%") {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(text.charCodeAt(at));
  }
  try {
    return utf8.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

const RAW: Readonly<Record<string, readonly [message: string, hint?: string]>> = {
  "?": ["a path has no query", "say what the query must be under `query:`"],
  "#": ["a path has no fragment", "write `%23` for the character itself"],
  ";": [
    "`;` never stands in a canonical path",
    "path parameters are refused, or dropped with `paths: { matrixParameters: ignore }`",
  ],
  "\\": ["a backslash never stands in a canonical path"],
  " ": ["a request has a method and a path, with one space between them", "write `%20` for a space in a path"],
  "*": [
    "`*` stands alone as `**` only",
    "use `{name}` for one segment, `**` for any number, `%2A` for the character itself",
  ],
  "{": ["`{` opens a parameter here, and there can be one a segment", "write `%7B` for the character itself"],
  "}": ["`}` without its `{`", "write `%7D` for the character itself"],
};

function refuseRaw(text: string): LiteralResult | undefined {
  for (let at = 0; at < text.length; at += 1) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const known = RAW[character];
    const span = [at, at + character.length] as const;
    if (known !== undefined) return { ok: false, message: known[0], at: span, ...(known[1] ? { hint: known[1] } : {}) };
    if (character === "%") {
      if (!/^%[0-9A-Fa-f]{2}/.test(text.slice(at, at + 3)))
        return {
          ok: false,
          message: "`%` without two hexadecimal digits",
          hint: "write `%25` for the character itself",
          at: [at, Math.min(at + 3, text.length)],
        };
      at += 2;
    } else if (!SAFE.test(character)) {
      return {
        ok: false,
        message: "this character is not canonical in a path",
        hint: `write \`${encodeSegment(character)}\``,
        at: span,
      };
    }
  }
  return undefined;
}

/** Reads literal pattern text (a segment or a part of one) into the decoded text that it matches; only the canonical spelling passes. */
export function parseLiteral(text: string): LiteralResult {
  const raw = refuseRaw(text);
  if (raw !== undefined) return raw;
  const whole = [0, text.length] as const;
  const value = decodeBytes(text);
  if (value === undefined)
    return { ok: false, message: "the percent-encoded bytes are not UTF-8, so no request matches this", at: whole };
  const never = neverMatches(value);
  if (never !== undefined) return { ok: false, message: never, at: whole };
  // `*` is the pattern's own, so `%2A` is the one spelling of a literal star.
  const canonical = encodeSegment(value).replaceAll("*", "%2A");
  if (canonical !== text && /^\.\.?$/.test(value))
    return {
      ok: false,
      message: `\`${value}\` as a segment is refused in every request, so no request matches this`,
      at: whole,
    };
  if (canonical !== text)
    return {
      ok: false,
      message: `\`${text}\` is not the canonical spelling`,
      hint: `write \`${canonical}\``,
      at: whole,
    };
  return { ok: true, value };
}

function neverMatches(value: string): string | undefined {
  const encoded = /[/\\;]/.exec(value)?.[0];
  if (encoded !== undefined) return `an encoded \`${encoded}\` is refused in every request, so no request matches this`;
  if (/[\p{Cc}]/u.test(value)) return "control characters are refused in every request, so no request matches this";
  return /%[0-9A-Fa-f]{2}/.test(value)
    ? "doubly encoded text is refused in every request, so no request matches this"
    : undefined;
}
