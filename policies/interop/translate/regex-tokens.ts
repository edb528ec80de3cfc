import { type CharacterSet, characterSet, type RegexTree } from "./regex-tree.ts";

/** A run of characters of one set. A literal character is a run of one out of a set of one. */
export interface Token {
  readonly set: CharacterSet;
  readonly min: number;
  readonly max: number;
}

/** The most alternatives that one regular expression is written out into. */
const MOST = 256;

/**
 * A regular expression as alternatives of runs, in order of preference; `undefined` where a group repeats without end or
 * there are too many.
 */
export function alternativesOf(tree: RegexTree): readonly (readonly Token[])[] | undefined {
  switch (tree.kind) {
    case "set":
      return [[{ set: tree.set, min: 1, max: 1 }]];
    case "choice":
      return joined(tree.branches.map(alternativesOf));
    case "sequence":
      return tree.parts.reduce<readonly (readonly Token[])[] | undefined>(
        (left, part) => product(left, alternativesOf(part)),
        [[]],
      );
    case "repeat":
      return repeated(tree);
  }
}

function repeated({ of, min, max }: Extract<RegexTree, { kind: "repeat" }>): ReturnType<typeof alternativesOf> {
  const single = singleSet(of);
  if (single !== undefined && (max > 1 || single.codes.size !== 1 || single.others))
    return [[{ set: single, min, max }]];
  if (max > 8) return undefined;
  const inner = alternativesOf(of);
  const counts = Array.from({ length: max - min + 1 }, (_, at) => max - at);
  return joined(
    counts.map((count) =>
      Array.from({ length: count }, () => inner).reduce<readonly (readonly Token[])[] | undefined>(product, [[]]),
    ),
  );
}

function singleSet(tree: RegexTree): CharacterSet | undefined {
  if (tree.kind === "set") return tree.set;
  const [only] = tree.kind === "sequence" ? tree.parts : [];
  return tree.kind === "sequence" && tree.parts.length === 1 && only !== undefined ? singleSet(only) : undefined;
}

function joined(lists: readonly ReturnType<typeof alternativesOf>[]): ReturnType<typeof alternativesOf> {
  const all: (readonly Token[])[] = [];
  for (const list of lists) {
    if (list === undefined) return undefined;
    all.push(...list);
  }
  return all.length > MOST ? undefined : all;
}

function product(
  left: ReturnType<typeof alternativesOf>,
  right: ReturnType<typeof alternativesOf>,
): ReturnType<typeof alternativesOf> {
  if (left === undefined || right === undefined || left.length * right.length > MOST) return undefined;
  return left.flatMap((start) => right.map((end) => [...start, ...end]));
}

/** The character that a token is, where it is one literal character. */
export function literalOf({ set, min, max }: Token): string | undefined {
  const [code] = set.codes;
  return min === 1 && max === 1 && set.codes.size === 1 && !set.others && code !== undefined
    ? String.fromCharCode(code)
    : undefined;
}

/** The text that tokens spell, where they are literal characters only. */
export function spelled(tokens: readonly Token[]): string | undefined {
  let text = "";
  for (const token of tokens) {
    const character = literalOf(token);
    if (character === undefined) return undefined;
    text += character;
  }
  return text;
}

/** Texts that tokens match, up to a number of them; `all` tells whether that is every one. Short ones come first. */
export function textsOf(
  tokens: readonly Token[],
  most: number,
): { readonly texts: readonly string[]; readonly all: boolean } | undefined {
  let [texts, all] = [[""], true];
  const open = tokens.filter(({ max }) => max === Number.POSITIVE_INFINITY).length;
  if (open > 1) return undefined;
  for (const { set, min, max } of tokens) {
    if (set.others || set.codes.size > most) return undefined;
    const characters = [...set.codes].map((code) => String.fromCharCode(code));
    const runs = runsOf(characters, min, max, Math.floor(most / texts.length));
    if (runs === undefined) return undefined;
    all &&= runs.all;
    texts = texts.flatMap((text) => runs.texts.map((run) => text + run));
  }
  return texts.length > most ? undefined : { texts, all };
}

function runsOf(
  characters: readonly string[],
  min: number,
  max: number,
  most: number,
): { readonly texts: readonly string[]; readonly all: boolean } | undefined {
  let level: readonly string[] = [""];
  const texts: string[] = [];
  for (let length = 0; length <= max; length++) {
    if (texts.length + level.length > most)
      return length > min && max === Number.POSITIVE_INFINITY ? { texts, all: false } : undefined;
    if (length >= min) texts.push(...level);
    level = level.flatMap((text) => characters.map((character) => text + character));
    if (level.length === 0) break;
  }
  return { texts, all: true };
}

/** A token of one character out of a text's. */
export function oneOf(text: string): Token {
  return { set: characterSet(text), min: 1, max: 1 };
}
