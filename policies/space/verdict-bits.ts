import type { Mode } from "../model/index.ts";

/** What is known of one side's lines, as bits: a verdict depends on nothing else. */
export const BITS = {
  denyTrue: 1,
  denyUnknown: 2,
  /** Beside `denyTrue` and `denyUnknown`, of denies marked `always`. */
  always: 4,
  allowTrue: 8,
  allowUnknown: 16,
  allowNoToken: 32,
  /** The path or the host is refused. */
  refused: 64,
} as const;

/** How many bits one side takes. */
export const SIDE_BITS = 8;
export const SIDE_MASK = (1 << SIDE_BITS) - 1;

/** What a side's verdict depends on beside its lines. */
export interface SideFacts {
  /** Denied before any rule: the destination or the caller is not known to this side. */
  readonly outside: boolean;
  /** Whether isolation labels keep the two apart. */
  readonly apart: boolean;
  readonly mode: Mode;
}

/** What is answered, relaxations of monitor mode included (docs/semantics.md, "Verdict", "Monitor mode"). */
export function allows(bits: number, { outside, apart, mode }: SideFacts): boolean {
  if (outside) return false;
  const relaxed = mode === "monitor" && (bits & BITS.always) === 0;
  if ((bits & BITS.refused) !== 0) return relaxed;
  const crossing = bits & (BITS.allowTrue | BITS.allowUnknown | BITS.allowNoToken);
  if (apart && crossing === 0) return relaxed;
  if ((bits & BITS.denyTrue) !== 0) return relaxed;
  if ((bits & (BITS.denyUnknown | BITS.allowUnknown)) !== 0) return false;
  return (bits & BITS.allowTrue) !== 0 || relaxed;
}

/** Whether a side denies whatever else comes true. */
export function deniesForGood(bits: number, { outside, mode }: SideFacts): boolean {
  if (outside) return true;
  const denying = BITS.denyTrue | BITS.denyUnknown | BITS.allowUnknown | BITS.refused;
  return mode === "enforce" && (bits & denying) !== 0;
}

/** The bits that a line adds to one side. */
export function lineBits(
  effect: "allow" | "deny",
  always: boolean,
): { whenTrue: number; whenUnknown: number; whenNoToken: number } {
  if (effect === "allow") {
    return { whenTrue: BITS.allowTrue, whenUnknown: BITS.allowUnknown, whenNoToken: BITS.allowNoToken };
  }
  const held = always ? BITS.always : 0;
  return { whenTrue: BITS.denyTrue | held, whenUnknown: BITS.denyUnknown | held, whenNoToken: 0 };
}
