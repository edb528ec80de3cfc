import type { LinePieces } from "../space/pieces.ts";
import { type Contender, type Example, Search } from "../space/search.ts";
import type { Question } from "./question.ts";

/** The bit of the lines of `some`, and of those of `none`; a line of `all` has that of its place. */
export const SOME = 1 << 28;
export const HIT = 1 << 29;

/** One line as one caller meets it, and the bit that it adds where it is true. */
export interface CallerLine {
  readonly pieces: LinePieces;
  readonly bit: number;
  /** Whether it must be true. */
  readonly tracked: boolean;
}

/** Runs one search and stops at the first example; `null` is one in which nothing matters. */
export function search(
  { all, some }: Question,
  contenders: readonly Contender[],
): { readonly example: Example | null | undefined; readonly exact: boolean } {
  const whole = (1 << all.length) - 1;
  const wanted = some === undefined ? whole : whole | SOME;
  const isThere = all.every((_, index) => contenders.some(({ bits }) => bits.whenTrue === 1 << index));
  if (!isThere) return { example: undefined, exact: true };
  let done = false;
  const engine = new Search({
    answers: 1,
    answer: (bits) => {
      const found = (bits & HIT) === 0 && (bits & wanted) === wanted;
      done ||= found;
      return found ? 0 : -1;
    },
    settled: (bits) => done || (bits & HIT) !== 0,
    needsTracked: (bits) => (bits & whole) !== whole,
  });
  const [example] = engine.run(contenders, 0).all;
  return { example, exact: engine.exact };
}

/** The parts of lines among requests or among connections. */
export function contendersOf(
  lines: readonly CallerLine[],
  kind: "http" | "tcp",
  unknownCounts: boolean,
): readonly Contender[] {
  let id = 0;
  return lines.flatMap(({ pieces, bit, tracked }, line) =>
    pieces[kind].map((piece) => ({
      id: id++,
      piece,
      bits: { whenTrue: bit, whenUnknown: unknownCounts ? bit : 0, whenNoToken: 0 },
      ...(tracked ? { tracked: line } : {}),
    })),
  );
}
