import { literalSegment } from "../translate/path-set.ts";
import type { ParameterPatterns } from "./parameter.ts";

/** Patterns of a path template. */
export interface TemplatePatterns {
  readonly patterns: readonly string[];
  /** What the description allows and the patterns do not. */
  readonly less: readonly string[];
  /** A path that a pattern matches although the template does not. */
  readonly more?: string;
}

/** The most patterns that one template is written out into. */
const MOST_PATTERNS = 48;

/** A template such as `/users/{id}/report.{format}`; `undefined` where no pattern says it. */
export function templatePatterns(
  template: string,
  parameterOf: (name: string) => ParameterPatterns,
): TemplatePatterns | undefined {
  if (!template.startsWith("/") || /[?#]/.test(template)) return undefined;
  let patterns: readonly string[] = [""];
  const less: string[] = [];
  let more: string | undefined;
  for (const segment of template.slice(1).split("/")) {
    const read = segmentPatterns(segment, parameterOf);
    if (read === undefined || patterns.length * read.texts.length > MOST_PATTERNS) return undefined;
    less.push(...read.less);
    more =
      more === undefined
        ? read.more && `${patterns[0] ?? ""}/${read.more}`
        : `${more}/${sampleOf(read.texts[0] ?? "")}`;
    patterns = patterns.flatMap((start) => read.texts.map((text) => `${start}/${text}`));
  }
  return { patterns: patterns.map(distinctParameters), less, ...(more === undefined ? {} : { more: sampleOf(more) }) };
}

interface SegmentPatterns {
  readonly texts: readonly string[];
  readonly less: readonly string[];
  readonly more?: string;
}

function segmentPatterns(
  segment: string,
  parameterOf: (name: string) => ParameterPatterns,
): SegmentPatterns | undefined {
  const names = [...segment.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => name);
  const literals = segment.split(/\{[^{}]*\}/).map(literalSegment);
  const known = literals.filter((literal) => literal !== undefined);
  if (known.length < literals.length) return undefined;
  const [before = "", after = ""] = known;
  const [only] = names;
  if (only === undefined) return { texts: [before], less: [] };
  if (names.length > 1) return widened(known);
  const { texts, less } = parameterOf(only);
  return { texts: texts.map((text) => `${before}${text}${after}`), less: less === undefined ? [] : [less] };
}

/** Several parameters in one segment: one stands for them all and for what is between them. */
function widened(literals: readonly string[]): SegmentPatterns {
  const [before, after] = [literals[0] ?? "", literals.at(-1) ?? ""];
  const inner = literals.slice(1, -1).join("");
  const text = `${before}{x}${after}`;
  return { texts: [text], less: [], ...(inner === "" ? {} : { more: `${before}x${after}` }) };
}

/** A path with a value for every parameter. */
export function sampleOf(pattern: string): string {
  return pattern.replace(/\{[^{}:]*(?::([a-z]+))?\}/g, (_, type: string | undefined) => SAMPLES.get(type ?? "") ?? "x");
}

const SAMPLES: ReadonlyMap<string, string> = new Map([
  ["int", "1"],
  ["uuid", "00000000-0000-4000-8000-000000000000"],
  ["hex", "0a"],
  ["slug", "a-b"],
  ["date", "2026-01-01"],
]);

/** A parameter's name that comes again gets a number. */
function distinctParameters(pattern: string): string {
  const seen = new Map<string, number>();
  return pattern.replace(/\{([^{}:]+)(:[a-z]+)?\}/g, (_, name: string, type: string | undefined) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return `{${name}${count === 1 ? "" : count}${type ?? ""}}`;
  });
}
