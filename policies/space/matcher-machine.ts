import { unreachable } from "../match/value.ts";
import type { Matcher } from "../model/index.ts";
import {
  anyPiece,
  beginsWith,
  DEAD,
  EVERY_TEXT,
  eitherOf,
  endsWith,
  holding,
  inverse,
  NO_TEXT,
  oneOf,
  reading,
  type TextMachine,
} from "./text-machine.ts";

/** Accepts the values that `valueMatches` says pass. */
export function matcherMachine(matcher: Matcher): TextMachine {
  switch (matcher.kind) {
    case "equals":
    case "has":
      return oneOf([matcher.value]);
    case "in":
    case "hasAny":
      return oneOf(matcher.values);
    case "not":
      return inverse(oneOf([matcher.value]));
    case "notIn":
      return inverse(oneOf(matcher.values));
    case "prefix":
      return beginsWith(matcher.value);
    case "suffix":
      return endsWith(matcher.value);
    case "contains":
      return holding(matcher.value);
    case "present":
      return EVERY_TEXT;
    case "absent":
      return NO_TEXT;
    default:
      return unreachable(matcher);
  }
}

/** Accepts the clean values that hit a deny, whole or between commas. */
export function hitMachine(matcher: Matcher): TextMachine {
  const whole = matcherMachine(matcher);
  return whole === EVERY_TEXT || whole === NO_TEXT ? whole : eitherOf(whole, anyPiece(whole, false));
}

const GRPC = "application/grpc";

/** Accepts `application/grpc`, alone or followed by `+` or `;`. */
const GRPC_TYPE: TextMachine = {
  key: "grpc",
  start: "",
  mentions: `${GRPC}+;`,
  step: (state, character) => {
    if (state === "ok" || state === DEAD) return state;
    if (state === GRPC) return character === "+" || character === ";" ? "ok" : DEAD;
    const next = state + character;
    return GRPC.startsWith(next) ? next : DEAD;
  },
  accepts: (state) => state === "ok" || state === GRPC,
};

/** Accepts a content type that everybody takes for gRPC. */
export const SURELY_GRPC: TextMachine = GRPC_TYPE;

/** Accepts a content type that somebody may take for gRPC: any case, between commas. */
export const MAYBE_GRPC: TextMachine = anyPiece(
  reading(GRPC_TYPE, (character) => character.toLowerCase(), "lower"),
  true,
);
