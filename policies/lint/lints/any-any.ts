import { type Finding, finding } from "../../findings/index.ts";
import { linesOf, placeOf } from "../line-at.ts";
import { isAnyAny } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** Lines that let every caller do everything. */
export function anyAny(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap(linesOf)
    .filter(({ rule, line }) => line !== undefined && isAnyAny(rule, line, subject))
    .map((line) =>
      finding({
        id: "any-any",
        severity: "error",
        about: [line.lineId],
        span: placeOf(line),
        message: `\`${line.line?.text ?? "*"}\` lets every caller do everything`,
        reason: "a workload that anybody takes over reaches all of this one, as if nothing stood before it",
        remedy: "name the callers under `from`, and the requests that they make",
      }),
    );
}
