import { policiesOf } from "../decide/policies-of.ts";
import type { Attributes, Decision, PolicySet } from "../model/index.ts";
import { linesOf, type PolicyLine } from "../reference/lines.ts";
import { referenceDecide } from "../reference/reference-decide.ts";
import { situationOf } from "../reference/situation.ts";
import { alsoAllowed } from "./breadth.ts";
import { addAddress, addCaller, spareCaller } from "./caller-change.ts";
import { addAcross, addHost, addPort, moveTime, widenValues } from "./condition-change.ts";
import { distanceOf } from "./distance.ts";
import { type Asked, type Change, type Edit, withRule } from "./edit.ts";
import type { Lack } from "./explanation.ts";
import { lacksOf } from "./lacks.ts";
import { newRule } from "./new-rule.ts";
import type { ExplainOptions } from "./options.ts";
import { addLine, addMethod, lineFor } from "./request-change.ts";
import type { EditedRule, Suggestion } from "./suggestion.ts";

interface Step {
  readonly set: PolicySet;
  readonly edits: readonly Edit[];
  readonly rules: readonly EditedRule[];
  readonly size: number;
}

/** Denies that are spared one after the other before this gives up. */
const MOST_STEPS = 5;
const MOST_LINES = 8;
const NEW_RULE_SIZE = 3;

/**
 * The smallest edit of policies that allows a request, tried out before it is told; nothing where no policy can: a caller
 * or path that is refused before any rule, a token that is missing, an input that is unknown.
 */
export function suggest(set: PolicySet, attributes: Attributes, options: ExplainOptions): Suggestion | undefined {
  let done: Step = { set, edits: [], rules: [], size: 0 };
  for (let step = 0; step < MOST_STEPS; step++) {
    const decision = referenceDecide(done.set, attributes, options);
    if (decision.evaluated === "allow") {
      return { edits: done.edits, alsoAllows: alsoAllowed(set, done.set, attributes, done.rules) };
    }
    const next = nextStep(done, decision, attributes, options);
    if (next === undefined) return undefined;
    done = next;
  }
  return undefined;
}

function nextStep(done: Step, decision: Decision, attributes: Attributes, options: ExplainOptions): Step | undefined {
  switch (decision.reason) {
    case "denied-by-rule":
      return spare(done, decision, attributes, options);
    case "isolated":
    case "no-rule-matched":
    case "no-policy-protects":
      return admit(done, attributes, options);
    default:
      return undefined;
  }
}

function spare(done: Step, { line: id }: Decision, attributes: Attributes, options: ExplainOptions): Step | undefined {
  const { set } = done;
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const line = linesOf(policiesOf(set, attributes.destination.toString()).live).find((each) => each.id === id);
  const change = line && spareCaller({ line, attributes, situation, set });
  return line && change && applied(done, line, [change]);
}

/** The smallest change of the lines that come nearest, or a rule of its own where that is smaller. */
function admit(done: Step, attributes: Attributes, options: ExplainOptions): Step | undefined {
  const { set } = done;
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const { live } = policiesOf(set, attributes.destination.toString());
  const near = linesOf(live)
    .filter((line) => line.of.effect === "allow")
    .map((line) => ({ line, lacks: lacksOf(line, situation) }))
    .sort((left, right) => distanceOf(left.lacks) - distanceOf(right.lacks))
    .slice(0, MOST_LINES);
  const steps = near.flatMap(({ line, lacks }) => {
    const changes = changesFor({ line, attributes, situation, set }, lacks);
    return changes === undefined ? [] : [applied(done, line, changes)];
  });
  const own = ownRule(done, attributes, options);
  // The order is that of nearness, and sorting keeps it.
  const ordered = [...steps, ...(own === undefined ? [] : [own])].sort((left, right) => left.size - right.size);
  return ordered.find((step) => isAdmitted(step, attributes, options));
}

/** Whether an allow matches now; a deny may still stand in its way. */
function isAdmitted({ set }: Step, attributes: Attributes, options: ExplainOptions): boolean {
  const { reason } = referenceDecide(set, attributes, options);
  return reason === "allowed-by-rule" || reason === "denied-by-rule";
}

function ownRule(done: Step, attributes: Attributes, options: ExplainOptions): Step | undefined {
  const { set } = done;
  const situation = situationOf(set, attributes, options.destinations ?? set.destinations);
  const { destination } = situation;
  const { live } = policiesOf(set, attributes.destination.toString());
  const first = linesOf(live)[0];
  if (destination === undefined) return undefined;
  const line = lineFor({ attributes, situation }, undefined, first?.of.span ?? destination.span);
  const made = line && newRule(set, situation, line, live);
  if (made === undefined) return undefined;
  return {
    set: made.set,
    edits: [...done.edits, made.edit],
    rules: [...done.rules, { rule: made.rule, destinations: made.owner.destinations }],
    size: done.size + NEW_RULE_SIZE,
  };
}

function applied(done: Step, line: PolicyLine, changes: readonly Change[]): Step {
  const rule = changes.reduce((before, change) => change.apply(before), line.of);
  return {
    set: withRule(done.set, line, rule),
    edits: [...done.edits, ...changes.map(({ edit }) => edit)],
    rules: [...done.rules, { rule, destinations: line.owner.destinations }],
    size: done.size + changes.reduce((sum, { size }) => sum + size, 0),
  };
}

/** A change for all that a line lacks; nothing where one thing cannot be changed in the policy. */
function changesFor(asked: Asked, lacks: readonly Lack[]): readonly Change[] | undefined {
  if (lacks.length === 0 || lacks.some(({ unknown }) => unknown)) return undefined;
  const kinds = new Set(lacks.map(({ kind }) => kind));
  const isOtherLine = ["segment", "trailing-slash", "request"].some((kind) => lacks.some((lack) => lack.kind === kind));
  const labels = lacks.flatMap((lack) => (lack.kind === "isolation" ? [lack.key] : []));
  const changes: (Change | undefined)[] = lacks
    .filter(({ kind }) => kind !== "isolation" && kind !== "label" && kind !== "caller" && !isOfLine(kind))
    .map((lack) => changeFor(asked, lack));
  if (kinds.has("caller") || kinds.has("label")) changes.push(addCaller(asked));
  if (labels.length > 0) changes.push(addAcross(asked, labels));
  if (isOtherLine) changes.push(addLine(asked));
  else if (kinds.has("method")) changes.push(addMethod(asked) ?? addLine(asked));
  const found = changes.filter((change) => change !== undefined);
  return found.length === changes.length ? found : undefined;
}

function isOfLine(kind: Lack["kind"]): boolean {
  return kind === "segment" || kind === "trailing-slash" || kind === "request" || kind === "method";
}

function changeFor(asked: Asked, lack: Lack): Change | undefined {
  switch (lack.kind) {
    case "port":
      return asked.line.of.ports === undefined ? addLine(asked) : addPort(asked);
    case "host":
      return addHost(asked);
    case "header":
    case "query":
      return widenValues(asked, lack);
    case "time":
      return moveTime(asked);
    case "address":
      return addAddress(asked);
    default:
      return undefined;
  }
}
