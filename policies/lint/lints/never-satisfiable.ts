import { type Finding, finding } from "../../findings/index.ts";
import type { Span } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import type { Subject } from "../subject.ts";

/** Lines that no request makes true, where nothing else that is said of the rule tells why. */
export function neverSatisfiable(subject: Subject): readonly Finding[] {
  const lines = subject
    .standings()
    .filter(({ line, standing }) => standing.kind === "never" && !isTold(line, subject))
    .map(({ line }) => line);
  const byRule = new Map<string, LineOf[]>();
  for (const line of lines) byRule.set(line.id, [...(byRule.get(line.id) ?? []), line]);
  return [...byRule.values()].flatMap((found) => (isWhole(found) ? found.slice(0, 1).map(ofRule) : found.map(ofLine)));
}

/** Whether these are all the lines of a rule that has several. */
function isWhole(lines: readonly LineOf[]): boolean {
  return lines.length > 1 && lines.length === lines[0]?.rule.requests?.length;
}

function ofRule({ rule, id }: LineOf): Finding {
  return report([id], rule.span, `no request meets any line of \`${rule.name}\``);
}

function ofLine(line: LineOf): Finding {
  const { rule, lineId } = line;
  return report([lineId], placeOf(line), `no request meets ${textOf(line)} of \`${rule.name}\``);
}

function report(about: readonly string[], span: Span, message: string): Finding {
  return finding({
    id: "never-satisfiable",
    severity: "warning",
    about,
    span,
    message,
    reason: "its callers, conditions, times and exceptions exclude one another, so it does nothing",
    remedy: "look at what they ask for together (isolation labels included), or remove it",
  });
}

/** Whether the rule is over, or a warning stands in it, but for one of another line. */
function isTold({ rule, line }: LineOf, { now, set }: Subject): boolean {
  if (rule.notAfter !== undefined && rule.notAfter < now) return true;
  const others = (rule.requests ?? []).filter((one) => one !== line);
  return set.diagnostics.some(
    ({ span }) => contains(rule.span, span) && !others.some((other) => contains(other.span, span)),
  );
}

function contains(outer: Span, inner: Span): boolean {
  if (outer.file !== inner.file || inner.line < outer.line || inner.line > outer.endLine) return false;
  if (inner.line === outer.line && inner.column < outer.column) return false;
  return inner.line < outer.endLine || inner.column < outer.endColumn;
}
