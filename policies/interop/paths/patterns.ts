import { canonicalPath } from "../../path/canonical-path.ts";

/**
 * Path patterns that together match what a foreign matcher does on canonical paths; none where no canonical path can
 * match it.
 */
export type Patterns = readonly string[];

/** The pattern of one exact path. */
export function exactPath(path: string): Patterns {
  const literal = literalPath(path);
  return literal === undefined ? [] : [literal];
}

/** The patterns of a raw text prefix, which need not end at a segment: `/foo` also begins `/foobar`. */
export function rawPrefix(prefix: string): Patterns {
  if (prefix === "") return ["/**"];
  const cut = prefix.lastIndexOf("/");
  const [head, partial] = [prefix.slice(0, cut + 1), prefix.slice(cut + 1)];
  const folder = literalPath(head);
  if (cut === -1 || folder === undefined) return [];
  if (partial === "") return [`${folder}**`];
  const begin = literalPart(partial);
  if (begin === undefined) return [];
  const whole = `${folder}${begin}`;
  return [whole, `${whole}/**`, `${whole}{rest}`, `${whole}{rest}/**`];
}

/** The patterns of a prefix by whole segments: `/foo`, and what is below it. */
export function segmentPrefix(prefix: string): Patterns {
  const folder = literalPath(prefix.replace(/\/+$/, "") || "/");
  if (folder === undefined) return [];
  return folder === "/" ? ["/**"] : [folder, `${folder}/**`];
}

/** The patterns of a raw text suffix: `/health` also ends `/a/health`. */
export function rawSuffix(suffix: string): Patterns {
  if (suffix === "") return ["/**"];
  const [partial = "", ...below] = suffix.split("/");
  const tail = below.length === 0 ? "" : literalPath(`/${below.join("/")}`);
  if (tail === undefined) return [];
  if (partial === "") return tail === "/" ? ["/", "/**/"] : [tail, `/**${tail}`];
  const end = literalPart(partial);
  if (end === undefined) return [];
  return [end, `{any}${end}`].flatMap((segment) => [`/${segment}${tail}`, `/**/${segment}${tail}`]);
}

/** The pattern of a template of Envoy's: `{*}` is a segment, `{**}` any number of characters. Both are whole segments. */
export function templatePath(template: string): Patterns {
  const parts = template.split("/").slice(1);
  const segments = parts.map((part, index) => {
    if (part === "{**}") return "**";
    if (part === "{*}") return `{p${index + 1}}`;
    if (part === "") return index === parts.length - 1 ? "" : undefined;
    return literalPart(part);
  });
  return segments.includes(undefined) ? [] : [`/${segments.join("/")}`];
}

/** A literal path in a pattern's spelling; absent where no canonical path is spelled so. */
function literalPath(path: string): string | undefined {
  // A dot segment or an empty one is literal text to a matcher that runs after normalisation: it never matches.
  if (!path.startsWith("/") || /\/\.{1,2}(?:\/|$)|\/\/|[?#]/.test(path)) return undefined;
  const canonical = canonicalPath(path);
  return canonical.ok ? canonical.path.replaceAll("*", "%2A") : undefined;
}

function literalPart(part: string): string | undefined {
  return literalPath(`/${part}`)?.slice(1);
}
