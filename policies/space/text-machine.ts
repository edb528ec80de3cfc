/**
 * A deterministic automaton over the characters of a text. States are strings, so that products of machines can be told
 * apart cheaply; `mentions` are the characters that it tells apart beyond the categories of `characters.ts`.
 */
export interface TextMachine {
  /** Two machines with the same key are the same. */
  readonly key: string;
  readonly start: string;
  readonly mentions: string;
  step(state: string, character: string): string;
  accepts(state: string): boolean;
}

/** The state that nothing leads out of. No text of a policy can hold this character. */
export const DEAD = "\u0000";

/** Accepts every text. */
export const EVERY_TEXT: TextMachine = {
  key: "every",
  start: "",
  mentions: "",
  step: () => "",
  accepts: () => true,
};

/** Accepts no text. */
export const NO_TEXT: TextMachine = { key: "none", start: "", mentions: "", step: () => "", accepts: () => false };

/** Accepts exactly these texts. */
export function oneOf(values: readonly string[]): TextMachine {
  const whole = new Set(values);
  const beginnings = new Set(values.flatMap((value) => [...value].map((_, at, all) => all.slice(0, at + 1).join(""))));
  return {
    key: `in ${JSON.stringify([...whole].sort())}`,
    start: "",
    mentions: values.join(""),
    step: (state, character) => {
      const next = state === DEAD ? DEAD : state + character;
      return beginnings.has(next) ? next : DEAD;
    },
    accepts: (state) => whole.has(state),
  };
}

/** Accepts the texts that begin so. */
export function beginsWith(prefix: string): TextMachine {
  return {
    key: `prefix ${JSON.stringify(prefix)}`,
    start: "",
    mentions: prefix,
    step: (state, character) => {
      if (state === prefix || state === DEAD) return state;
      const next = state + character;
      return prefix.startsWith(next) ? next : DEAD;
    },
    accepts: (state) => state === prefix,
  };
}

/** The longest end of a text that a word begins with, as the text grows by a character. */
function overlap(word: string, known: string, character: string): string {
  let next = known + character;
  while (!word.startsWith(next)) next = next.slice(1);
  return next;
}

/** Accepts the texts that end so. */
export function endsWith(suffix: string): TextMachine {
  return {
    key: `suffix ${JSON.stringify(suffix)}`,
    start: "",
    mentions: suffix,
    step: (state, character) => overlap(suffix, state, character),
    accepts: (state) => state === suffix,
  };
}

/** Accepts the texts that hold a word anywhere. */
export function holding(word: string): TextMachine {
  return {
    key: `contains ${JSON.stringify(word)}`,
    start: "",
    mentions: word,
    step: (state, character) => (state === word ? state : overlap(word, state, character)),
    accepts: (state) => state === word,
  };
}

/** Accepts what another refuses. */
export function inverse(machine: TextMachine): TextMachine {
  return { ...machine, key: `not (${machine.key})`, accepts: (state) => !machine.accepts(state) };
}

/** Reads another spelling of each character, such as its lower case. */
export function reading(machine: TextMachine, read: (character: string) => string, name: string): TextMachine {
  return {
    ...machine,
    key: `${name} (${machine.key})`,
    mentions: machine.mentions + machine.mentions.toUpperCase() + machine.mentions.toLowerCase(),
    step: (state, character) => machine.step(state, read(character)),
  };
}

const BLANK = /^[ \t]$/;
const SEPARATOR = "\u0001";

/**
 * Accepts a text where the machine accepts any piece of it between commas, blanks around a piece taken off. A text
 * without a comma is no piece unless `alone` says so.
 */
export function anyPiece(machine: TextMachine, alone: boolean): TextMachine {
  const pack = (split: boolean, hit: boolean, begun: boolean, kept: string, all: string): string =>
    hit ? "hit" : [split ? "," : "", begun ? "x" : "", kept, all].join(SEPARATOR);
  return {
    key: `piece ${alone} (${machine.key})`,
    start: pack(false, false, false, machine.start, machine.start),
    mentions: `${machine.mentions}, \t`,
    step: (state, character) => {
      if (state === "hit") return state;
      const [split = "", begun = "", kept = "", all = ""] = state.split(SEPARATOR);
      if (character === ",") return pack(true, machine.accepts(kept), false, machine.start, machine.start);
      if (BLANK.test(character) && begun === "") return state;
      const next = machine.step(all, character);
      return pack(split !== "", false, true, BLANK.test(character) ? kept : next, next);
    },
    accepts: (state) => {
      if (state === "hit") return true;
      const [split = "", , kept = ""] = state.split(SEPARATOR);
      return (alone || split !== "") && machine.accepts(kept);
    },
  };
}

/** Accepts what either accepts. */
export function eitherOf(left: TextMachine, right: TextMachine): TextMachine {
  const separator = "\u0002";
  return {
    key: `(${left.key}) or (${right.key})`,
    start: left.start + separator + right.start,
    mentions: left.mentions + right.mentions,
    step: (state, character) => {
      const [one = "", other = ""] = state.split(separator);
      return left.step(one, character) + separator + right.step(other, character);
    },
    accepts: (state) => {
      const [one = "", other = ""] = state.split(separator);
      return left.accepts(one) || right.accepts(other);
    },
  };
}
