import { selectorText } from "../../explain/matcher-text.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector, Rule } from "../../model/index.ts";
import { isAnyAny, isEveryone } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** Entries of `from` that let everybody in, where the lines beside them are not everything. */
export function anyoneCaller(subject: Subject): readonly Finding[] {
  return subject.rules
    .filter(({ rule }) => rule.effect === "allow" && !isAnyAnyRule(rule, subject))
    .flatMap(({ rule, id }) =>
      (rule.from ?? [])
        .filter((entry) => entry.anyone === "anonymous" || isEveryone(entry, subject))
        .map((entry) =>
          finding({
            id: "anyone-caller",
            severity: "warning",
            about: [id, selectorText(entry)],
            span: entry.span,
            message: `\`${rule.name}\` lets ${whom(entry)} in`,
            reason: "no identity is asked for that somebody could take back",
            remedy: "name workloads, or select them by labels",
          }),
        ),
    );
}

function whom({ anyone, addresses }: CallerSelector): string {
  if (anyone === "anonymous") return "callers without any identity";
  return anyone === undefined && addresses !== undefined ? "every address" : "every registered workload";
}

/** Whether the rule has nothing but lines that `any-any` is about already. */
function isAnyAnyRule(rule: Rule, subject: Subject): boolean {
  return (rule.requests ?? []).every((line) => isAnyAny(rule, line, subject));
}
