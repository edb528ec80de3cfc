/** A set of characters: codes of visible ASCII and space, and whether every other character is in it. */
export interface CharacterSet {
  readonly codes: ReadonlySet<number>;
  readonly others: boolean;
}

/** A regular expression that covers the whole text. Anchors at its ends are gone. */
export type RegexTree =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly RegexTree[] }
  | { readonly kind: "choice"; readonly branches: readonly RegexTree[] }
  | { readonly kind: "repeat"; readonly of: RegexTree; readonly min: number; readonly max: number };

/** The longest regular expression that is read. */
const MOST_CHARACTERS = 1_024;
const FIRST = 0x20;
const LAST = 0x7e;

/** All characters of a text, and with `others` every one beyond ASCII. */
export function characterSet(text: string, others = false): CharacterSet {
  return { codes: new Set([...text].map((character) => character.charCodeAt(0))), others };
}

/** Everything that is not in the set. */
export function complement({ codes, others }: CharacterSet): CharacterSet {
  const rest = new Set<number>();
  for (let code = FIRST; code <= LAST; code++) if (!codes.has(code)) rest.add(code);
  return { codes: rest, others: !others };
}

/** Whether every character of the second set is in the first. */
export function includesSet(set: CharacterSet, wanted: CharacterSet): boolean {
  return (set.others || !wanted.others) && [...wanted.codes].every((code) => set.codes.has(code));
}

/** Whether two sets are the same. */
export function sameSet(a: CharacterSet, b: CharacterSet): boolean {
  return includesSet(a, b) && includesSet(b, a);
}

const range = (from: string, to: string): string => {
  let text = "";
  for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) text += String.fromCharCode(code);
  return text;
};

export const DIGITS: CharacterSet = characterSet(range("0", "9"));
export const HEX: CharacterSet = characterSet(`${range("0", "9")}${range("a", "f")}${range("A", "F")}`);
export const SLUG: CharacterSet = characterSet(`${range("a", "z")}${range("0", "9")}-`);
export const ANY_CHARACTER: CharacterSet = complement(characterSet(""));
const WORD = characterSet(`${range("a", "z")}${range("A", "Z")}${range("0", "9")}_`);
const BLANK = characterSet(" ");

const ESCAPES: ReadonlyMap<string, CharacterSet> = new Map([
  ["d", DIGITS],
  ["D", complement(DIGITS)],
  ["w", WORD],
  ["W", complement(WORD)],
  ["s", BLANK],
  ["S", complement(BLANK)],
]);
const POSIX: ReadonlyMap<string, CharacterSet> = new Map([
  ["digit", DIGITS],
  ["alpha", characterSet(`${range("a", "z")}${range("A", "Z")}`)],
  ["alnum", characterSet(`${range("a", "z")}${range("A", "Z")}${range("0", "9")}`)],
  ["lower", characterSet(range("a", "z"))],
  ["upper", characterSet(range("A", "Z"))],
  ["xdigit", HEX],
  ["word", WORD],
]);

/** A reader's place in a regular expression. */
interface Cursor {
  readonly text: string;
  at: number;
}

class Unreadable extends Error {}

/** Reads RE2 or extended POSIX syntax. `undefined` for what is not read here: flags, back references, inner anchors, lazy repeats. */
export function parseRegex(text: string): RegexTree | undefined {
  // INVARIANT: groups nest no deeper than the text is long, so that reading one never runs out of stack.
  if (text.length > MOST_CHARACTERS) return undefined;
  const inner = text.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  // INVARIANT: an anchor belongs to its branch, so it is taken off only where there is no other branch.
  if (inner !== text && hasTopLevelChoice(inner)) return undefined;
  const cursor = { text: inner, at: 0 };
  try {
    const tree = choice(cursor);
    return cursor.at === inner.length ? tree : undefined;
  } catch (problem) {
    if (problem instanceof Unreadable) return undefined;
    throw problem;
  }
}

function hasTopLevelChoice(text: string): boolean {
  try {
    const tree = choice({ text, at: 0 });
    return tree.kind === "choice";
  } catch {
    return true;
  }
}

function choice(cursor: Cursor): RegexTree {
  const branches = [sequence(cursor)];
  while (cursor.text[cursor.at] === "|") {
    cursor.at++;
    branches.push(sequence(cursor));
  }
  const [only] = branches;
  return branches.length === 1 && only !== undefined ? only : { kind: "choice", branches };
}

function sequence(cursor: Cursor): RegexTree {
  const parts: RegexTree[] = [];
  while (cursor.at < cursor.text.length && !"|)".includes(cursor.text[cursor.at] ?? "")) parts.push(repeated(cursor));
  return { kind: "sequence", parts };
}

function repeated(cursor: Cursor): RegexTree {
  const of = atom(cursor);
  const [sign, low, comma, high] = /^(?:[*+?]|\{(\d{1,3})(,(\d{1,3})?)?\})/.exec(cursor.text.slice(cursor.at)) ?? [];
  if (sign === undefined) return of;
  cursor.at += sign.length;
  if (/^[*+?{]/.test(cursor.text.slice(cursor.at))) throw new Unreadable();
  if (sign === "*") return { kind: "repeat", of, min: 0, max: Number.POSITIVE_INFINITY };
  if (sign === "+") return { kind: "repeat", of, min: 1, max: Number.POSITIVE_INFINITY };
  if (sign === "?") return { kind: "repeat", of, min: 0, max: 1 };
  const min = Number(low);
  const max = comma === undefined ? min : high === undefined ? Number.POSITIVE_INFINITY : Number(high);
  if (max < min) throw new Unreadable();
  return { kind: "repeat", of, min, max };
}

function atom(cursor: Cursor): RegexTree {
  const character = cursor.text[cursor.at++] ?? "";
  if (character === "(") return group(cursor);
  if (character === "[") return { kind: "set", set: bracket(cursor) };
  if (character === ".") return { kind: "set", set: ANY_CHARACTER };
  if (character === "\\") return { kind: "set", set: escaped(cursor) };
  if ("*+?{}^$".includes(character) || !isVisible(character)) throw new Unreadable();
  return { kind: "set", set: characterSet(character) };
}

function isVisible(character: string): boolean {
  const code = character.charCodeAt(0);
  return code >= FIRST && code <= LAST;
}

function group(cursor: Cursor): RegexTree {
  const opening = /^\?(?::|P?<[A-Za-z_]\w*>)/.exec(cursor.text.slice(cursor.at))?.[0];
  if (opening === undefined && cursor.text[cursor.at] === "?") throw new Unreadable();
  cursor.at += opening?.length ?? 0;
  const inner = choice(cursor);
  if (cursor.text[cursor.at++] !== ")") throw new Unreadable();
  return inner;
}

function escaped(cursor: Cursor): CharacterSet {
  const character = cursor.text[cursor.at++] ?? "";
  const known = ESCAPES.get(character);
  if (known !== undefined) return known;
  if (/^[A-Za-z0-9]?$/.test(character) || !isVisible(character)) throw new Unreadable();
  return characterSet(character);
}

function bracket(cursor: Cursor): CharacterSet {
  const negated = cursor.text[cursor.at] === "^";
  if (negated) cursor.at++;
  const codes = new Set<number>();
  let others = false;
  for (let first = true; first || cursor.text[cursor.at] !== "]"; first = false) {
    if (cursor.at >= cursor.text.length) throw new Unreadable();
    const item = bracketItem(cursor);
    for (const code of item.codes) codes.add(code);
    others ||= item.others;
  }
  cursor.at++;
  return negated ? complement({ codes, others }) : { codes, others };
}

function bracketItem(cursor: Cursor): CharacterSet {
  const posix = /^\[:(\w+):\]/.exec(cursor.text.slice(cursor.at));
  if (posix !== null) {
    const known = POSIX.get(posix[1] ?? "");
    if (known === undefined) throw new Unreadable();
    cursor.at += posix[0].length;
    return known;
  }
  const from = bracketCharacter(cursor);
  if (!/^-[^\]]/.test(cursor.text.slice(cursor.at)) || from.codes.size !== 1) return from;
  cursor.at++;
  const to = bracketCharacter(cursor);
  const [low = 0, high = 0] = [[...from.codes][0], [...to.codes][0]];
  if (to.codes.size !== 1 || high < low) throw new Unreadable();
  return characterSet(range(String.fromCharCode(low), String.fromCharCode(high)));
}

function bracketCharacter(cursor: Cursor): CharacterSet {
  const character = cursor.text[cursor.at++] ?? "";
  if (character === "\\") return escaped(cursor);
  if (!isVisible(character)) throw new Unreadable();
  return characterSet(character);
}
