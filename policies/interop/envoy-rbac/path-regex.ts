import type { ParameterType, PathPattern, PatternSegment } from "../../model/index.ts";

/** Canonical paths without escapes, dot segments aside: nothing else gets past the filters. */
export const PLAIN_PATH = "/|(?:/[A-Za-z0-9\\-._~!$&'()*+,=:@]+)+/?";

/** Paths with a dot segment. */
export const DOT_SEGMENT = "(?:.*/)?\\.{1,2}(?:/.*)?";

const TYPES: Readonly<Record<ParameterType, string>> = {
  any: "[^/]+",
  int: "[0-9]{1,19}",
  uuid: "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
  hex: "[0-9A-Fa-f]+",
  slug: "[a-z0-9]+(?:-[a-z0-9]+)*",
  date:
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))" +
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)",
};

/** A regular expression (RE2, whole text) for the paths that a pattern matches, as an allow or a deny reads it. */
export function pathRegex({ segments }: Pick<PathPattern, "segments">, effect: "allow" | "deny"): string {
  const trimmed =
    effect === "deny" && segments.length > 1 && isEmpty(segments.at(-1)) ? segments.slice(0, -1) : segments;
  const last = trimmed.length - 1;
  const text = trimmed
    .map((segment, index) => {
      if (segment.kind !== "rest") return `/${segmentRegex(segment)}`;
      if (effect === "deny") return index === last ? "(?:/.*)?" : "(?:/.+)?";
      return index === last ? "/.*" : "/.+";
    })
    .join("");
  return effect === "deny" && trimmed.at(-1)?.kind !== "rest" ? `${text}/?` : text;
}

const isEmpty = (segment: PatternSegment | undefined): boolean => segment?.kind === "literal" && segment.value === "";

function segmentRegex(segment: Exclude<PatternSegment, { kind: "rest" }>): string {
  if (segment.kind === "literal") return escapeRegex(segment.value);
  return `${escapeRegex(segment.prefix)}${TYPES[segment.type]}${escapeRegex(segment.suffix)}`;
}

/** A text as a regular expression that matches just it. */
export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Whether canonical paths spell something of the pattern with an escape, which the filters let nobody use. */
export function needsEscape({ segments }: PathPattern): boolean {
  const plain = /^[A-Za-z0-9\-._~!$&'()*+,=:@]*$/;
  return segments.some((one) =>
    one.kind === "literal" ? !plain.test(one.value) : one.kind === "parameter" && !plain.test(one.prefix + one.suffix),
  );
}
