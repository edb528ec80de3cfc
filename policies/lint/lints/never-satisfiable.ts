import { type Finding, finding } from "../../findings/index.ts";
import type { Span } from "../../model/index.ts";
import { type LineOf, placeOf, textOf } from "../line-at.ts";
import type { Subject } from "../subject.ts";

/** Lines that no request makes true, where nothing else that is said of the rule tells why. */
export function neverSatisfiable(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) =>
    standing.kind !== "never" || isTold(line, subject)
      ? []
      : [
          finding({
            id: "never-satisfiable",
            severity: "warning",
            about: [line.lineId],
            span: placeOf(line),
            message: `no request meets ${textOf(line)} of \`${line.rule.name}\``,
            reason: "its callers, conditions, times and exceptions exclude one another, so it does nothing",
            remedy: "look at what they ask for together (isolation labels included), or remove it",
          }),
        ],
  );
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
