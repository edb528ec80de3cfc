import { policiesOf } from "../decide/policies-of.ts";
import type { AccessPolicy, Attributes, CandidateVerdict, Decision, PolicySet } from "../model/index.ts";
import { linesOf, lineTruth, type PolicyLine } from "../reference/lines.ts";
import { referenceDecide } from "../reference/reference-decide.ts";
import { type Situation, situationOf } from "../reference/situation.ts";
import { distanceOf } from "./distance.ts";
import type { Explanation, LineReport } from "./explanation.ts";
import { exceptText, insteadOf } from "./instead.ts";
import { lacksOf } from "./lacks.ts";
import type { ExplainOptions } from "./options.ts";
import { refusalOf } from "./refusal.ts";
import { suggest } from "./suggest.ts";

/**
 * Why a request is decided as it is: the line that decides, or the allow lines that come nearest and what each lacks, and
 * the smallest edit that would allow it.
 */
export function explain(set: PolicySet, attributes: Attributes, options: ExplainOptions = {}): Explanation {
  const decision = referenceDecide(set, attributes, options);
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const policies = policiesOf(set, attributes.destination.toString());
  const told = tell(policies.live, situation, { ...decision, verdict: decision.evaluated }, options);
  const refusal = refusalOf(decision, situation);
  const suggestion = options.suggest === false || attributes.unrecorded ? undefined : suggest(set, attributes, options);
  const instead = insteadOf(told.nearest[0]?.lacks ?? []);
  const except = decision.reason === "denied-by-rule" ? exceptText(told.line) : undefined;
  return {
    decision,
    deciding: told.deciding,
    nearest: told.nearest,
    ...(refusal === undefined ? {} : { refusal }),
    ...(except === undefined ? {} : { except }),
    ...(suggestion === undefined || suggestion.edits.length === 0 ? {} : { suggestion }),
    ...(instead === undefined ? {} : { instead }),
    ...candidateOf(decision, policies.candidate, situation, options),
  };
}

interface Told {
  readonly line: PolicyLine | undefined;
  readonly deciding: LineReport | undefined;
  readonly nearest: readonly LineReport[];
}

function tell(
  policies: readonly AccessPolicy[],
  situation: Situation,
  { verdict, line: id }: Pick<CandidateVerdict, "verdict" | "line">,
  options: ExplainOptions,
): Told {
  const lines = linesOf(policies);
  const line = lines.find((each) => each.id === id);
  const allows = verdict === "allow" ? [] : lines.filter((each) => each.of.effect === "allow");
  const reports = allows.map((each) => reportOf(each, situation)).sort(byDistance);
  return { line, deciding: line && reportOf(line, situation), nearest: reports.slice(0, options.nearest ?? 5) };
}

function candidateOf(
  { candidate }: Decision,
  policies: readonly AccessPolicy[] | undefined,
  situation: Situation,
  options: ExplainOptions,
): Pick<Explanation, "candidate"> {
  if (candidate === undefined || policies === undefined) return {};
  const { deciding, nearest } = tell(policies, situation, candidate, options);
  return { candidate: { verdict: candidate.verdict, reason: candidate.reason, deciding, nearest } };
}

function reportOf(line: PolicyLine, situation: Situation): LineReport {
  const lacks = lacksOf(line, situation);
  return {
    id: line.id,
    policy: line.policy,
    rule: line.rule,
    text: line.request?.text ?? "*",
    effect: line.of.effect,
    span: line.request?.span ?? line.of.span,
    truth: lineTruth(line, situation),
    lacks,
    distance: distanceOf(lacks),
  };
}

function byDistance(left: LineReport, right: LineReport): number {
  return left.distance - right.distance || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0);
}
