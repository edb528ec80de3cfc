import type { Inquiry, Situation } from "./destination-space.ts";
import type { SpaceLine } from "./lines.ts";
import type { Question } from "./search.ts";
import { allows, BITS, deniesForGood, lineBits, SIDE_BITS, SIDE_MASK, type SideFacts } from "./verdict-bits.ts";

/** Answers of a comparison: the second side allows what the first denies, or the other way round. */
export const BROADER = 0;
export const NARROWER = 1;

/** The requests on which two sides' verdicts differ, told apart by the lines that only one of them has. */
export function comparison(): Inquiry {
  return {
    bits: (line, side) => shifted(lineBits(line.rule.effect, line.rule.always), side),
    tracks: (_, met) => met !== 3,
    question: (situation) => compare(factsOf(situation, 0), factsOf(situation, 1)),
    refused: (side) => BITS.refused << (side * SIDE_BITS),
  };
}

/** The requests of one side whose verdict changes where some of its lines are left out. */
export function absence(isLeftOut: (line: SpaceLine) => boolean): Inquiry {
  return {
    bits: (line) => {
      const own = lineBits(line.rule.effect, line.rule.always);
      return isLeftOut(line) ? own : together(own, shifted(own, 1));
    },
    tracks: isLeftOut,
    question: (situation) => compare(factsOf(situation, 0), factsOf(situation, 0)),
    refused: () => BITS.refused | (BITS.refused << SIDE_BITS),
  };
}

function factsOf({ callers, apart, destinations }: Situation, side: number): SideFacts {
  return {
    outside: callers[side] === undefined,
    apart: (apart[side] ?? []).length > 0,
    mode: destinations[side]?.mode ?? "enforce",
  };
}

function compare(first: SideFacts, second: SideFacts): Question | undefined {
  if (first.outside && second.outside) return undefined;
  const alike = first.outside === second.outside && first.apart === second.apart && first.mode === second.mode;
  const one = (bits: number): number => bits & SIDE_MASK;
  const other = (bits: number): number => bits >> SIDE_BITS;
  return {
    answers: 2,
    answer: (bits) => {
      const [before, after] = [allows(one(bits), first), allows(other(bits), second)];
      if (before === after) return -1;
      return after ? BROADER : NARROWER;
    },
    settled: (bits) => deniesForGood(one(bits), first) && deniesForGood(other(bits), second),
    needsTracked: (bits) => alike && one(bits) === other(bits),
  };
}

type Bits = ReturnType<typeof lineBits>;

function shifted({ whenTrue, whenUnknown, whenNoToken }: Bits, side: number): Bits {
  const by = side * SIDE_BITS;
  return { whenTrue: whenTrue << by, whenUnknown: whenUnknown << by, whenNoToken: whenNoToken << by };
}

function together(left: Bits, right: Bits): Bits {
  return {
    whenTrue: left.whenTrue | right.whenTrue,
    whenUnknown: left.whenUnknown | right.whenUnknown,
    whenNoToken: left.whenNoToken | right.whenNoToken,
  };
}
