import type { PatternSegment, RequestLine } from "../model/index.ts";

/**
 * Whether no request meets both lines of allows, as far as methods and literal segments tell: it holds of most pairs of lines, and is told
 * much sooner than a search tells it. Paths are taken as they are written: where a destination folds them, it says nothing.
 */
export function areApart(left: RequestLine | undefined, right: RequestLine | undefined): boolean {
  if (left?.kind !== "http" || right?.kind !== "http") return false;
  return haveNoMethod(left.methods, right.methods) || haveNoPath(left.path.segments, right.path.segments);
}

type Methods = Extract<RequestLine, { readonly kind: "http" }>["methods"];

function haveNoMethod(left: Methods, right: Methods): boolean {
  return left !== "ANY" && right !== "ANY" && !left.some((method) => right.includes(method));
}

/** Up to where one takes the rest of a path, whatever it is, a segment of one stands against that of the other. */
function haveNoPath(left: readonly PatternSegment[], right: readonly PatternSegment[]): boolean {
  for (const [at, segment] of left.entries()) {
    const other = right[at];
    if (other === undefined || segment.kind === "rest" || other.kind === "rest") return false;
    if (segment.kind === "literal" && other.kind === "literal" && segment.value !== other.value) return true;
  }
  return false;
}
