import { policiesOf } from "../decide/policies-of.ts";
import type { AccessPolicy, PolicySet, RequestLine, Rule, Span, Workload } from "../model/index.ts";

/** One rule and its policy. */
export interface RuleOf {
  readonly policy: AccessPolicy;
  readonly rule: Rule;
  /** `<namespace>/<policy>/<rule>`, with ` (candidate)` after it where the policy is one: stable over moves in the text. */
  readonly id: string;
}

/** One line of one rule. */
export interface LineOf extends RuleOf {
  /** Absent in a deny without `requests`. */
  readonly line: RequestLine | undefined;
  /** `<namespace>/<policy>/<rule>#<text>`, with ` (candidate)` after the rule where the policy is one. */
  readonly lineId: string;
}

/** The policies of one destination as they are, or as the candidates would have them. */
export interface View {
  readonly destination: Workload;
  readonly stage: AccessPolicy["stage"];
  readonly allows: readonly LineOf[];
  readonly denies: readonly LineOf[];
}

/** The lines of a rule. */
export function linesOf(owner: RuleOf): readonly LineOf[] {
  return (owner.rule.requests ?? [undefined]).map((line) => ({
    ...owner,
    line,
    lineId: `${owner.id}#${line?.text ?? "*"}`,
  }));
}

/** Where a line stands; the rule's place for a deny without `requests`. */
export function placeOf({ rule, line }: { readonly rule: Rule; readonly line: RequestLine | undefined }): Span {
  return line?.span ?? rule.span;
}

/** What a line is called in messages. */
export function textOf({ line }: LineOf): string {
  return line === undefined ? "every request" : `\`${line.text}\``;
}

/** Every destination's policies, and a second view where a candidate changes something for it. */
export function viewsOf(set: PolicySet, rules: readonly RuleOf[]): readonly View[] {
  const byPolicy = new Map<AccessPolicy, LineOf[]>();
  for (const owner of rules) {
    const lines = byPolicy.get(owner.policy);
    if (lines === undefined) byPolicy.set(owner.policy, [...linesOf(owner)]);
    else lines.push(...linesOf(owner));
  }
  const view = (destination: Workload, stage: View["stage"], policies: readonly AccessPolicy[]): View => {
    const lines = policies.flatMap((policy) => byPolicy.get(policy) ?? []);
    const of = (effect: Rule["effect"]): readonly LineOf[] => lines.filter(({ rule }) => rule.effect === effect);
    return { destination, stage, allows: of("allow"), denies: of("deny") };
  };
  return set.workloads.flatMap((destination) => {
    const { live, candidate } = policiesOf(set, destination.identity.toString());
    const views = [view(destination, "live", live)];
    return candidate === undefined ? views : [...views, view(destination, "candidate", candidate)];
  });
}

/** A line and the views of its own policy's stage that hold it. */
export interface LinePlace {
  readonly line: LineOf;
  readonly views: readonly View[];
}

/** Where each line stands, by its id, in order of the views. */
export function placesOf(views: readonly View[]): ReadonlyMap<string, LinePlace> {
  const places = new Map<string, { readonly line: LineOf; readonly views: View[] }>();
  for (const view of views)
    for (const line of [...view.allows, ...view.denies].filter(({ policy }) => policy.stage === view.stage)) {
      const place = places.get(line.lineId);
      if (place === undefined) places.set(line.lineId, { line, views: [view] });
      else place.views.push(view);
    }
  return places;
}
