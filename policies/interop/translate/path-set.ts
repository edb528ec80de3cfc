import { patternMatches } from "../../match/pattern.ts";
import { parsePathPattern } from "../../syntax/path-pattern.ts";

/** Paths of the source as patterns of the language. */
export interface PathSet {
  readonly patterns: readonly string[];
  /** Which paths of the source no pattern covers, if any: numbers of 20 digits and more, or others. */
  readonly shortage?: "long-number" | "other";
}

const PLAIN = /^[A-Za-z0-9\-._~!$&'()+,=:@]*$/;

/** A text inside a segment as patterns write it. `undefined` where no request that is accepted can have it. */
export function literalSegment(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  const written = encodeSegment(text);
  return written === undefined ? undefined : written;
}

/** The source speaks of escaped paths, so an escape stays one; a raw character that is none in a path never matches. */
function encodeSegment(text: string): string | undefined {
  if (text.includes("/") || /[?#;\\]/.test(text)) return undefined;
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    return undefined;
  }
  return [...new TextEncoder().encode(decoded)]
    .map((byte) => String.fromCharCode(byte))
    .map((character) =>
      PLAIN.test(character) ? character : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
}

/** A literal path as a pattern; `undefined` where no request that is accepted has it. */
export function literalPath(path: string): string | undefined {
  if (!path.startsWith("/")) return undefined;
  const segments = path.slice(1).split("/").map(literalSegment);
  const known = segments.filter((segment) => segment !== undefined);
  if (known.length !== segments.length) return undefined;
  const pattern = `/${known.join("/")}`;
  return isPattern(pattern) ? pattern : undefined;
}

/** Everything that begins with the text after `<base>/`: `base/adm` also begins `base/admin/x`. */
export function prefixPatterns(base: string, literal: string, longer = false): readonly string[] {
  if (literal === "") return longer ? [`${base}/{x}`, `${base}/{x}/**`] : [`${base}/**`];
  const more = [`${base}/${literal}/**`, `${base}/${literal}{x}`, `${base}/${literal}{x}/**`];
  return longer ? more : [`${base}/${literal}`, ...more];
}

/** A raw text prefix of paths as patterns, exactly; `undefined` where no accepted path begins so. */
export function rawPrefix(text: string): readonly string[] | undefined {
  if (text === "") return ["/**"];
  const cut = text.lastIndexOf("/");
  if (!text.startsWith("/")) return undefined;
  const base = cut === 0 ? "" : literalPath(text.slice(0, cut));
  const literal = literalSegment(text.slice(cut + 1));
  return base === undefined || literal === undefined ? undefined : prefixPatterns(base, literal);
}

/** A prefix by whole segments, indifferent to slashes at either end. */
export function segmentPrefix(text: string): readonly string[] | undefined {
  const trimmed = text.replace(/\/+$/, "");
  if (trimmed === "") return ["/**"];
  const path = literalPath(trimmed);
  return path === undefined ? undefined : [path, `${path}/**`];
}

/** Whether a text is a path pattern. */
export function isPattern(text: string): boolean {
  const { value, findings } = parsePathPattern(text, 0);
  return value !== undefined && findings.every(({ code }) => !code.startsWith("ERR_"));
}

/** Whether a pattern of an allow matches the path that a literal pattern, or one whose parameters stand for themselves, is. */
export function covers(pattern: string, path: string): boolean {
  const [outer, inner] = [parsePathPattern(pattern, 0).value, parsePathPattern(path, 0).value];
  if (outer === undefined || inner === undefined) return false;
  const segments = inner.segments.map((segment) =>
    segment.kind === "literal" ? segment.value : segment.kind === "rest" ? "\u{10ffff}" : undefined,
  );
  const literal = segments.filter((segment) => segment !== undefined);
  return literal.length === segments.length && patternMatches("allow", outer, literal);
}

/** Whether a pattern names one path only. */
export function isLiteral(pattern: string): boolean {
  return !pattern.includes("{") && !pattern.split("/").includes("**");
}

/** The pattern with every parameter named once: `x`, then `x2`, `x3` and so on. */
export function withDistinctNames(pattern: string): string {
  let count = 0;
  return pattern.replace(/\{(?:x|id)(:[a-z]+)?\}/g, (_, type: string | undefined) => {
    count++;
    return `{x${count === 1 ? "" : count}${type ?? ""}}`;
  });
}
