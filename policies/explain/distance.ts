import type { Lack, LackKind } from "./explanation.ts";

/** How unlikely each thing is to be the one that is wrong: what a request has by accident weighs less than what it has on purpose. */
const WEIGHTS: Readonly<Record<Exclude<LackKind, "segment">, number>> = {
  request: 8,
  caller: 6,
  label: 5,
  path: 5,
  isolation: 4,
  port: 3,
  method: 3,
  host: 2,
  address: 2,
  except: 2,
  time: 2,
  token: 2,
  header: 1,
  query: 1,
  "trailing-slash": 1,
};

/** What each further thing adds: one mistake is likelier than two at once. */
const EACH = 3;
/** What a further label adds: a caller that is another one often has several labels that differ. */
const FURTHER_LABEL = 1.5;

/** How far a line is from matching, by what it lacks; 0 where it lacks nothing. */
export function distanceOf(lacks: readonly Lack[]): number {
  let [distance, labels] = [0, 0];
  for (const lack of lacks) {
    const isFurther = lack.kind === "label" && labels++ > 0;
    distance += isFurther ? FURTHER_LABEL : EACH + weightOf(lack);
  }
  return distance;
}

function weightOf(lack: Lack): number {
  return lack.kind === "segment" ? segmentWeight(lack) : WEIGHTS[lack.kind];
}

/** A slip of the pen, another value in its place, another word, a segment too few or too many: ever less likely to be the mistake. */
function segmentWeight({ expected, got, isEnd, differing }: Extract<Lack, { readonly kind: "segment" }>): number {
  const further = 4 * Math.max(0, differing - 1);
  if (isEnd || got === undefined) return 7 + further;
  if (expected.includes("{")) return 4 + further;
  return (isSlip(expected, got) ? 2 : 6.5) + further;
}

const MOST_COMPARED = 64;

/** Whether two words differ in a character or two, and are longer than that. */
function isSlip(left: string, right: string): boolean {
  if (Math.max(left.length, right.length) > MOST_COMPARED || Math.abs(left.length - right.length) > 2) return false;
  const edits = editDistance(left, right);
  return edits <= 2 && edits * 2 < Math.max(left.length, right.length);
}

/** Levenshtein's distance. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 0; at < left.length; at++) {
    const next = [at + 1];
    for (let to = 0; to < right.length; to++) {
      const same = left.charAt(at) === right.charAt(to) ? 0 : 1;
      next.push(Math.min((next[to] ?? 0) + 1, (row[to + 1] ?? 0) + 1, (row[to] ?? 0) + same));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
