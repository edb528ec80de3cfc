import { type Finding, finding } from "../../findings/index.ts";
import { placeOf, textOf } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";

/** Lines of which others together do everything. */
export function redundantLine(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) =>
    standing.kind !== "redundant"
      ? []
      : [
          finding({
            id: "redundant-line",
            severity: "warning",
            about: [line.lineId],
            span: placeOf(line),
            message: `other lines together do all that ${textOf(line)} of \`${line.rule.name}\` does`,
            reason: "taking it away changes no decision, so whoever takes it away believes to have closed something",
            remedy: "remove it, or the others where it says better what is meant",
            related: relatedTo(standing.by, "covers a part of it"),
          }),
        ],
  );
}
