import type { Matcher } from "../../model/index.ts";
import type { DraftMatcher } from "../draft/draft.ts";

/** A matcher of a header or a query parameter, as a policy file says it. */
export function draftMatcher(matcher: Matcher): DraftMatcher {
  switch (matcher.kind) {
    case "equals":
      return matcher.value;
    case "in":
      return { in: matcher.values };
    case "not":
      return { not: matcher.value };
    case "notIn":
      return { notIn: matcher.values };
    case "prefix":
      return { prefix: matcher.value };
    case "suffix":
      return { suffix: matcher.value };
    case "contains":
      return { contains: matcher.value };
    case "present":
      return { present: true };
    case "absent":
      return { absent: true };
    case "has":
    case "hasAny":
      throw new TypeError(`\`${matcher.kind}\` asks for a set, which no header is`);
  }
}
