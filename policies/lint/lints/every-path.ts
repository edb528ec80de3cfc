import { type Finding, finding } from "../../findings/index.ts";
import { isAnyAny, isEveryPath } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** Lines of an allow with `/**` over everything. */
export function everyPath(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap(({ rule, id }) =>
      (rule.requests ?? [])
        .filter((line) => isEveryPath(line) && !isAnyAny(rule, line, subject))
        .map((line) =>
          finding({
            id: "every-path",
            severity: "warning",
            about: [`${id}#${line.text}`],
            span: line.span,
            message: `\`${line.text}\` covers every path`,
            reason: "it also covers administration, debugging and whatever else the application serves or will serve",
            remedy: "write the paths that are used, such as `GET /orders/**`",
          }),
        ),
    );
}
