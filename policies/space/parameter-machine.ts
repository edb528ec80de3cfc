import { unreachable } from "../match/value.ts";
import type { ParameterType, PatternSegment } from "../model/index.ts";
import { DEAD, type TextMachine } from "./text-machine.ts";

type Parameter = Extract<PatternSegment, { readonly kind: "parameter" }>;
type Step = (state: string, character: string) => string;

interface TypeMachine {
  readonly step: Step;
  readonly accepts: (state: string) => boolean;
  readonly mentions: string;
}

const DIGIT = /^[0-9]$/;
const HEX = /^[0-9A-Fa-f]$/;
const SLUG = /^[a-z0-9]$/;
const DASHES: ReadonlySet<number> = new Set([8, 13, 18, 23]);

function counted(isNext: (character: string, at: number) => boolean, least: number, most: number): TypeMachine {
  return {
    mentions: "-",
    step: (state, character) => {
      const at = state === "" ? 0 : Number(state);
      return state !== DEAD && at < most && isNext(character, at) ? String(at + 1) : DEAD;
    },
    accepts: (state) => state !== DEAD && state !== "" && Number(state) >= least,
  };
}

const ANY: TypeMachine = { mentions: "", step: () => "+", accepts: (state) => state === "+" };
const INT = counted((character) => DIGIT.test(character), 1, 19);
const UUID = counted((character, at) => (DASHES.has(at) ? character === "-" : HEX.test(character)), 36, 36);
const HEXES: TypeMachine = {
  mentions: "",
  step: (state, character) => (state !== DEAD && HEX.test(character) ? "+" : DEAD),
  accepts: (state) => state === "+",
};
const SLUGS: TypeMachine = {
  mentions: "-",
  step: (state, character) => {
    if (state !== DEAD && SLUG.test(character)) return "+";
    return state === "+" && character === "-" ? "-" : DEAD;
  },
  accepts: (state) => state === "+",
};
const DATE: TypeMachine = {
  mentions: "0123456789-",
  step: dateStep,
  accepts: (state) => state === "ok",
};

/** A calendar day, remembering no more of it than what the days still to come depend on. */
function dateStep(state: string, character: string): string {
  const [stage = "", known = ""] = state.split(":");
  if (stage === "year" || stage === "month") return character === "-" ? `${stage}-:${known}` : DEAD;
  if (state === DEAD || !DIGIT.test(character)) return DEAD;
  const digit = Number(character);
  switch (stage) {
    case "":
      return `y1:${digit % 2}`;
    case "y1":
      return `y2:${(2 * Number(known) + digit) % 4 === 0}`;
    case "y2":
      return `y3:${known},${digit === 0 ? "zero" : digit % 2}`;
    case "y3":
      return `year:${isLeap(known, digit)}`;
    case "year-":
      return digit <= 1 ? `m1:${known},${digit}` : DEAD;
    case "m1":
      return monthOf(known, digit);
    case "month-":
      return digit <= 3 ? `d1:${known},${digit}` : DEAD;
    case "d1":
      return isDay(known, digit) ? "ok" : DEAD;
    default:
      return DEAD;
  }
}

function isLeap(known: string, digit: number): boolean {
  const [centuryByFour, tens] = known.split(",");
  if (tens === "zero" && digit === 0) return centuryByFour === "true";
  return (2 * (tens === "zero" ? 0 : Number(tens)) + digit) % 4 === 0;
}

function monthOf(known: string, digit: number): string {
  const [leap, tens] = known.split(",");
  const month = 10 * Number(tens) + digit;
  if (month < 1 || month > 12) return DEAD;
  if (month === 2) return `month:${leap === "true" ? 29 : 28}`;
  return `month:${[4, 6, 9, 11].includes(month) ? 30 : 31}`;
}

function isDay(known: string, digit: number): boolean {
  const [days, tens] = known.split(",").map(Number);
  const day = 10 * (tens ?? 0) + digit;
  return day >= 1 && day <= (days ?? 0);
}

function typeMachine(type: ParameterType): TypeMachine {
  switch (type) {
    case "any":
      return ANY;
    case "int":
      return INT;
    case "uuid":
      return UUID;
    case "hex":
      return HEXES;
    case "slug":
      return SLUGS;
    case "date":
      return DATE;
    default:
      return unreachable(type);
  }
}

const SEPARATOR = "\u0001";

/**
 * Accepts the segments that `parameterMatches` says pass. After the prefix a state is the type's own and the lengths of
 * the beginnings of the suffix that may have been read since the type last accepted.
 */
export function parameterMachine({ type, prefix, suffix }: Parameter): TextMachine {
  const machine = typeMachine(type);
  const head = [...prefix];
  const tail = [...suffix];
  const begin = (at: number): string => (at === head.length ? `in${SEPARATOR}${SEPARATOR}` : `${at}`);
  return {
    key: JSON.stringify([type, prefix, suffix]),
    start: begin(0),
    mentions: machine.mentions + prefix + suffix,
    step: (state, character) => {
      const [stage = "", inner = "", read = ""] = state.split(SEPARATOR);
      if (state === DEAD) return DEAD;
      if (stage !== "in") return head[Number(stage)] === character ? begin(Number(stage) + 1) : DEAD;
      const begun = read === "" ? [] : read.split(",").map(Number);
      const from = machine.accepts(inner) ? [0, ...begun] : begun;
      const lengths = from.filter((length) => tail[length] === character).map((length) => length + 1);
      return `in${SEPARATOR}${machine.step(inner, character)}${SEPARATOR}${lengths.join(",")}`;
    },
    accepts: (state) => {
      const [stage, inner = "", read = ""] = state.split(SEPARATOR);
      if (stage !== "in") return false;
      return tail.length === 0 ? machine.accepts(inner) : read.split(",").includes(String(tail.length));
    },
  };
}
