/** Which characters a text may be made of. */
export interface Alphabet {
  readonly key: string;
  /** Nicest first: the ones that examples are made of. */
  readonly characters: readonly string[];
}

const DIGITS = "1234567890";
const LETTERS = "xyzabcdefghijklmnopqrstuvw";
const NICE = `${LETTERS}${DIGITS}-_.~${LETTERS.toUpperCase()}!$&'()*+,=:@`;
const VISIBLE = Array.from({ length: 0x7e - 0x20 }, (_, at) => String.fromCharCode(0x21 + at)).join("");

function distinct(text: string): readonly string[] {
  return [...new Set(text)];
}

/** Of clean header values. */
export const HEADER_ALPHABET: Alphabet = { key: "header", characters: distinct(`${NICE}${VISIBLE} \t`) };

/** Of clean query values, claims and scopes; characters beyond are added where a policy mentions them. */
export const TEXT_ALPHABET: Alphabet = { key: "text", characters: distinct(`${NICE}${VISIBLE} \t\u00e9\u4e2d`) };

const SEGMENT = distinct(`${NICE}${VISIBLE} `).filter((character) => !"/\\;".includes(character));

/** Of decoded segments, where case counts. */
export const SEGMENT_ALPHABET: Alphabet = { key: "segment", characters: [...SEGMENT, "\u00e9", "\u4e2d"] };

/** Of decoded segments that are ASCII in lower case. */
export const FOLDED_ALPHABET: Alphabet = {
  key: "folded",
  characters: SEGMENT.filter((character) => !/[A-Z]/.test(character)),
};

/** What every machine may tell apart without mentioning it. */
export function categoryOf(character: string): string {
  if (/[0-9]/.test(character)) return "digit";
  if (/[a-f]/.test(character)) return "lower hex";
  if (/[A-F]/.test(character)) return "upper hex";
  if (/[a-z]/.test(character)) return "lower";
  if (/[A-Z]/.test(character)) return "upper";
  if (character === " " || character === "\t") return "blank";
  return character > "\u007f" ? "wide" : "other";
}
