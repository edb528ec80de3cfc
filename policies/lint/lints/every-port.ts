import { type Finding, finding } from "../../findings/index.ts";
import { isAnyAny } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** `tcp *` of an allow that `ports` does not narrow. */
export function everyPort(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow" && rule.ports === undefined)
    .flatMap(({ rule, id }) =>
      (rule.requests ?? [])
        .filter((line) => line.kind === "tcp" && line.port === "*" && !isAnyAny(rule, line, subject))
        .map((line) =>
          finding({
            id: "every-port",
            severity: "warning",
            about: [`${id}#${line.text}`],
            span: line.span,
            message: `\`${line.text}\` covers every tcp listener`,
            reason: "a listener that is added one day is open from its first minute",
            remedy: "write the port, such as `tcp 5432`",
          }),
        ),
    );
}
