import { type Finding, finding } from "../finding.ts";
import { isAnyAny } from "../reach.ts";
import { linesOf, placeOf, type Subject } from "../subject.ts";

/** Lines that let every caller do everything. */
export function anyAny(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap((owner) =>
      linesOf(owner)
        .filter(({ line }) => line !== undefined && isAnyAny(owner.rule, line, subject))
        .map(({ line, id }) =>
          finding({
            id: "any-any",
            severity: "error",
            about: id,
            span: placeOf(owner.rule, line),
            message: `\`${line?.text ?? "*"}\` lets every caller do everything`,
            reason: "a workload that anybody takes over reaches all of this one, as if nothing stood before it",
            remedy: "name the callers under `from`, and the requests that they make",
          }),
        ),
    );
}
