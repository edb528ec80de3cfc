import type { CompileOptions } from "../compile/options.ts";
import { policiesOf } from "../decide/policies-of.ts";
import type { Attributes, PolicySet } from "../model/index.ts";
import { linesOf, lineTruth, type PolicyLine } from "../reference/lines.ts";
import { referenceDecide } from "../reference/reference-decide.ts";
import { type Situation, situationOf } from "../reference/situation.ts";
import { distanceOf } from "./distance.ts";
import type { Explanation, LineReport } from "./explanation.ts";
import { lacksOf } from "./lacks.ts";

/** How a request is explained. */
export interface ExplainOptions extends CompileOptions {
  /** How many near lines are told at most; 5 where absent. */
  readonly nearest?: number;
}

/** Why a request is decided as it is: the line that decides, or the allow lines that come nearest and what each lacks. */
export function explain(set: PolicySet, attributes: Attributes, options: ExplainOptions = {}): Explanation {
  const decision = referenceDecide(set, attributes, options);
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const lines = linesOf(policiesOf(set, attributes.destination.toString()).live);
  const deciding = lines.find((line) => line.id === decision.line);
  const allows = decision.evaluated === "allow" ? [] : lines.filter((line) => line.of.effect === "allow");
  const reports = allows.map((line) => reportOf(line, situation)).sort(byDistance);
  return {
    decision,
    deciding: deciding && reportOf(deciding, situation),
    nearest: reports.slice(0, options.nearest ?? 5),
  };
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
