import type { CompiledLine, ViewLine } from "../compile/compiled-rule.ts";
import type { TokenTruth } from "../match/token.ts";
import { both, type Truth } from "../match/truth.ts";
import { conditionsHold, type RequestFacts } from "./conditions.ts";

/** What one set of policies has said of a request so far. Nothing in here is an allow until `ruling` says so. */
export interface Tally {
  deny: CompiledLine | undefined;
  denyAlways: CompiledLine | undefined;
  denyUnknown: CompiledLine | undefined;
  allow: CompiledLine | undefined;
  allowUnknown: CompiledLine | undefined;
  /** An allow lacks a token and nothing else. */
  noToken: boolean;
  /** A deny marked `always` matches or cannot be ruled out. */
  held: boolean;
  /** Every line that is unknown; absent where none is. */
  unknowns: UnknownLine[] | undefined;
}

/** A line of which it cannot be told whether it matches. */
export interface UnknownLine {
  readonly found: ViewLine;
  /** Whether the kind of request is what is not known: it may be gRPC. */
  readonly isKindUnknown: boolean;
}

function emptyTally(): Tally {
  return {
    deny: undefined,
    denyAlways: undefined,
    denyUnknown: undefined,
    allow: undefined,
    allowUnknown: undefined,
    noToken: false,
    held: false,
    unknowns: undefined,
  };
}

/** Asks the lines that a lookup finds, each once, for the live and the candidate set together. */
export class Evaluation {
  readonly live: Tally = emptyTally();
  readonly candidate: Tally = emptyTally();
  /** Whether the lookup itself was certain: unknown while it is not known whether a request is gRPC. */
  lookup: Truth = true;
  readonly #facts: RequestFacts;

  constructor(facts: RequestFacts) {
    this.#facts = facts;
  }

  visit(found: ViewLine): void {
    const truth = this.#truthOf(found);
    if (truth === false) return;
    if (found.line.live) tallyUp(this.live, found, truth);
    if (found.line.candidate) tallyUp(this.candidate, found, truth);
    if (truth === "unknown") this.#remember(found);
  }

  #remember(found: ViewLine): void {
    const unknown: UnknownLine = { found, isKindUnknown: this.lookup === "unknown" && found.rule.effect === "allow" };
    for (const tally of [found.line.live && this.live, found.line.candidate && this.candidate]) {
      if (tally === false) continue;
      if (tally.unknowns === undefined) tally.unknowns = [unknown];
      else tally.unknowns.push(unknown);
    }
  }

  #truthOf(found: ViewLine): TokenTruth {
    if (found.unconditional) return this.lookup;
    const truth = conditionsHold(found, this.#facts);
    if (truth === "no-token") return this.lookup === true ? truth : false;
    return both(this.lookup, truth);
  }
}

function tallyUp(tally: Tally, { line, rule }: ViewLine, truth: Exclude<TokenTruth, false>): void {
  if (rule.effect === "allow") {
    if (truth === true) tally.allow = earlier(tally.allow, line);
    else if (truth === "unknown") tally.allowUnknown = earlier(tally.allowUnknown, line);
    else tally.noToken = true;
    return;
  }
  if (rule.always) tally.held = true;
  if (truth !== true) tally.denyUnknown = earlier(tally.denyUnknown, line);
  else if (rule.always) tally.denyAlways = earlier(tally.denyAlways, line);
  else tally.deny = earlier(tally.deny, line);
}

/** The line that stands first in the order of ids, so that a decision names the same line whatever the order of files. */
function earlier(left: CompiledLine | undefined, right: CompiledLine): CompiledLine {
  return left === undefined || right.order < left.order ? right : left;
}
