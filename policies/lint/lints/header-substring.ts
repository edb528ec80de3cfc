import { type Finding, finding } from "../../findings/index.ts";
import type { Subject } from "../subject.ts";

/** `contains` on headers. */
export function headerSubstring({ rules }: Subject): readonly Finding[] {
  return rules.flatMap(({ rule, id }) =>
    [...rule.headers].flatMap(([name, matcher]) =>
      matcher.kind !== "contains"
        ? []
        : [
            finding({
              id: "header-substring",
              severity: "warning",
              about: [id, name],
              span: rule.span,
              message: `\`${rule.name}\` looks for \`${matcher.value}\` anywhere in the header \`${name}\``,
              reason:
                rule.effect === "allow"
                  ? `a caller chooses the value, and one that says something else may hold \`${matcher.value}\` too`
                  : `a caller chooses the value, and leaves \`${matcher.value}\` out or spells it differently`,
              remedy: "compare the whole value: `in: […]`, or a `jwt` claim that the caller cannot choose",
            }),
          ],
    ),
  );
}
