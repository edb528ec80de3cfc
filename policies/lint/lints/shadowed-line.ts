import { type Finding, finding } from "../../findings/index.ts";
import { placeOf, textOf } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";

/** Lines of which one other does everything, and more. */
export function shadowedLine(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) =>
    standing.kind !== "shadowed"
      ? []
      : [
          finding({
            id: "shadowed-line",
            severity: "warning",
            about: [line.lineId],
            span: placeOf(line),
            message: `${textOf(standing.by)} of \`${standing.by.rule.name}\` does all that ${textOf(line)} of \`${line.rule.name}\` does`,
            reason: "the narrower line narrows nothing: taking it away changes no decision",
            remedy: "remove it, or narrow the wider one if this is what was meant",
            related: relatedTo([standing.by], "covers all of it"),
          }),
        ],
  );
}
