import { type Finding, finding } from "../../findings/index.ts";
import { placeOf, textOf } from "../line-at.ts";
import { relatedTo } from "../related.ts";
import type { Subject } from "../subject.ts";

/** Lines of an allow of which denies hit every request. */
export function overriddenByDeny(subject: Subject): readonly Finding[] {
  return subject.standings().flatMap(({ line, standing }) =>
    standing.kind !== "overridden"
      ? []
      : [
          finding({
            id: "overridden-by-deny",
            severity: "warning",
            about: [line.lineId],
            span: placeOf(line),
            message: `a deny hits every request of ${textOf(line)} of \`${line.rule.name}\``,
            reason: "a deny wins over every allow, so the line allows nothing",
            remedy: "remove the line, or carve its requests out of the deny with `except`",
            related: relatedTo(standing.by, "denied here"),
          }),
        ],
  );
}
