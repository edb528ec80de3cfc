import { type Finding, finding } from "../../findings/index.ts";
import { isAnyAny } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** Lines of an allow with `ANY`. */
export function everyMethod(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap(({ rule, id }) =>
      (rule.requests ?? [])
        .filter((line) => line.kind === "http" && line.methods === "ANY" && !isAnyAny(rule, line, subject))
        .map((line) =>
          finding({
            id: "every-method",
            severity: "warning",
            about: [`${id}#${line.text}`],
            span: line.span,
            message: `\`${line.text}\` allows every method`,
            reason:
              "whoever may read may then also write and delete, and call methods that the application adds one day",
            remedy: "write the methods that are used, such as `GET|HEAD`",
          }),
        ),
    );
}
