import { nameOf } from "../../decide/policies-of.ts";
import { type Finding, finding } from "../../findings/index.ts";
import { parameterMatches } from "../../match/parameter.ts";
import type { PathPattern, PatternSegment, RequestLine } from "../../model/index.ts";
import { type LineOf, placeOf, textOf, type View } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";
import { everyoneLine } from "../synthetic.ts";
import { witnessOf } from "../witness.ts";

/** Lines whose `{parameter}` takes in a literal that another line gives to fewer: no line outranks another. */
export function literalSweptIn(subject: Subject): readonly Finding[] {
  const told = new Set<string>();
  return subject.views.flatMap((view) =>
    view.allows.flatMap((wide) => {
      if (wide.policy.stage !== view.stage) return [];
      return view.allows
        .filter((literal) => sweeps(wide.line, literal.line))
        .filter((literal) => !told.has(`${wide.lineId} ${literal.line?.text}`))
        .flatMap((literal) => {
          const found = swept(wide, literal, view, subject);
          if (found !== undefined) told.add(`${wide.lineId} ${literal.line?.text}`);
          return found ?? [];
        });
    }),
  );
}

/** Looks for a request that only the wide line lets through, although it is the literal one's. */
function swept(wide: LineOf, literal: LineOf, view: View, subject: Subject): Finding | undefined {
  const narrow = view.allows.filter(
    ({ line }) => line !== undefined && patternOf(line)?.text === patternTextOf(literal),
  );
  const answer = subject.ask({
    view,
    all: [wide, everyoneLine(literal, subject.set)],
    none: [...narrow, ...view.denies],
  });
  if (answer.kind !== "found") return undefined;
  return finding({
    id: "literal-swept-in",
    severity: "warning",
    about: [wide.lineId, literal.line?.text ?? ""],
    span: placeOf(wide),
    message: `${textOf(wide)} of \`${wide.rule.name}\` also lets through ${textOf(literal)}, which \`${nameOf(literal.policy)}/${literal.rule.name}\` gives to others`,
    reason: "a parameter matches every literal beside it, and the more exact line does not win",
    remedy: "give the parameter a type, such as `{id:int}`, or take the literal out with `except`",
    related: relatedTo([literal], "the literal"),
    ...witnessOf(answer.attributes(), subject),
  });
}

function patternTextOf({ line }: LineOf): string | undefined {
  return line === undefined ? undefined : patternOf(line)?.text;
}

function patternOf(line: RequestLine): PathPattern | undefined {
  return line.kind === "http" || line.kind === "websocket" ? line.path : undefined;
}

/** Whether a parameter of the one stands where the other has a literal that it matches, and nothing tells the two apart. */
function sweeps(wide: RequestLine | undefined, literal: RequestLine | undefined): boolean {
  if (wide === undefined || literal === undefined) return false;
  const [outer, inner] = [patternOf(wide)?.segments, patternOf(literal)?.segments];
  if (outer === undefined || inner === undefined || outer.length !== inner.length) return false;
  let found = false;
  for (const [at, segment] of outer.entries()) {
    const other = inner[at];
    if (other === undefined || isApart(segment, other)) return false;
    if (segment.kind === "parameter" && other.kind === "literal" && other.value !== "") found = true;
  }
  return found;
}

/** Whether two segments have certainly nothing in common. Two parameters are left to the search. */
function isApart(one: PatternSegment, other: PatternSegment): boolean {
  if (one.kind === "literal") return other.kind === "literal" && one.value !== other.value;
  if (one.kind === "parameter" && other.kind === "literal") return !parameterMatches(one, other.value);
  return false;
}
