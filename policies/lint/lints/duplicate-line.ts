import { type Finding, finding } from "../../findings/index.ts";
import { placeOf, textOf } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";

/** Lines that are true of the same requests as an earlier one. */
export function duplicateLine(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) =>
    standing.kind !== "duplicate"
      ? []
      : [
          finding({
            id: "duplicate-line",
            severity: "warning",
            about: [line.lineId],
            span: placeOf(line),
            message: `${textOf(line)} of \`${line.rule.name}\` says again what \`${standing.by.rule.name}\` says`,
            reason: "whoever removes one of the two believes to have changed something",
            remedy: "remove one of them",
            related: relatedTo([standing.by], "the same"),
          }),
        ],
  );
}
