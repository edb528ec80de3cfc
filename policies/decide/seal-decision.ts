import type { LineName } from "../compile/compiled-rule.ts";
import type {
  Attributes,
  CandidateVerdict,
  Decision,
  Mode,
  Outcome,
  Phase,
  ReasonCode,
  Verdict,
} from "../model/index.ts";
import type { UnknownLine } from "./evaluation.ts";

/** What one set of policies says, before monitor mode relaxes anything. */
export interface Ruling {
  readonly verdict: Verdict;
  readonly reason: ReasonCode;
  readonly phase: Phase;
  readonly line?: LineName | undefined;
  readonly detail?: string | undefined;
  /** A token is all that was lacking. */
  readonly noToken?: boolean;
  /** A deny marked `always` matches or cannot be ruled out, so that monitor mode relaxes nothing. */
  readonly held?: boolean;
  /** What unknown lines leave open, where there are some. */
  readonly open?: Open;
}

/** What the unknown lines of a ruling leave open. */
export interface Open {
  /** Every line that is unknown. */
  readonly lines: readonly UnknownLine[];
  /** The allow that matches all the same. */
  readonly allow: LineName | undefined;
  /** Whether a deny marked `always` matches for certain. */
  readonly held: boolean;
}

/** Everything else that a decision tells. */
export interface DecisionFacts {
  readonly id: string;
  readonly mode: Mode;
  readonly epoch: number;
  readonly revision: number;
  readonly path: string | undefined;
  readonly candidate: Ruling | undefined;
  readonly tookMicros: number;
}

const RELAXED: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "denied-by-rule",
  "no-rule-matched",
  "no-policy-protects",
  "isolated",
  "ambiguous-path",
  "ambiguous-host",
]);

const UNAVAILABLE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "no-policy",
  "stale-policy",
  "unknown-destination",
  "cannot-evaluate",
  "internal-error",
]);

/** The one place where a ruling becomes a decision: monitor mode, outcome, the frozen object. */
export function sealDecision(ruling: Ruling, attributes: Attributes, facts: DecisionFacts): Decision {
  // SECURITY: `allow` comes from a completed allow, or from monitor mode for the reasons that it relaxes; nothing else.
  const verdict = verdictOf(ruling, facts.mode);
  const caller = attributes.listener.kind === "mesh" ? attributes.caller?.toString() : undefined;
  const { line, detail } = ruling;
  const decision: Draft = {
    id: facts.id,
    verdict,
    evaluated: ruling.verdict,
    mode: facts.mode,
    phase: ruling.phase,
    outcome: outcomeOf(ruling, verdict),
    reason: ruling.reason,
    epoch: facts.epoch,
    revision: facts.revision,
    destination: attributes.destination.toString(),
    tookMicros: facts.tookMicros,
  };
  if (detail !== undefined) decision.detail = detail;
  if (line !== undefined) {
    decision.policy = line.policy;
    decision.rule = line.rule;
    decision.line = line.id;
  }
  if (facts.candidate !== undefined) decision.candidate = candidateVerdict(facts.candidate);
  if (facts.path !== undefined) decision.path = facts.path;
  if (caller !== undefined) decision.caller = caller;
  return Object.freeze(decision);
}

/** What the sidecar is told of a ruling in a mode. */
export function verdictOf(ruling: Ruling, mode: Mode): Verdict {
  return ruling.verdict === "allow" || isRelaxed(ruling, mode) ? "allow" : "deny";
}

type Draft = { -readonly [Key in keyof Decision]: Decision[Key] };

function isRelaxed(ruling: Ruling, mode: Mode): boolean {
  return mode === "monitor" && RELAXED.has(ruling.reason) && ruling.held !== true;
}

function outcomeOf(ruling: Ruling, verdict: Verdict): Outcome {
  if (verdict === "allow") return "allowed";
  if (UNAVAILABLE.has(ruling.reason)) return "unavailable";
  return ruling.noToken === true ? "unauthenticated" : "forbidden";
}

function candidateVerdict(ruling: Ruling): CandidateVerdict {
  const { verdict, reason, line } = ruling;
  return Object.freeze(line === undefined ? { verdict, reason } : { verdict, reason, line: line.id });
}
