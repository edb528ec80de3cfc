import type { Matcher } from "../model/index.ts";

/** Whether one value that is there passes a matcher. `absent` never does; `has` and `hasAny` ask one member of a set. */
export function valueMatches(matcher: Matcher, value: string): boolean {
  switch (matcher.kind) {
    case "equals":
    case "has":
      return value === matcher.value;
    case "in":
    case "hasAny":
      return matcher.values.includes(value);
    case "not":
      return value !== matcher.value;
    case "notIn":
      return !matcher.values.includes(value);
    case "prefix":
      return value.startsWith(matcher.value);
    case "suffix":
      return value.endsWith(matcher.value);
    case "contains":
      return value.includes(matcher.value);
    case "present":
      return true;
    case "absent":
      return false;
    default:
      return unreachable(matcher);
  }
}

/** Whether a value that may be missing passes a matcher: a missing one passes `absent` and nothing else. */
export function optionalMatches(matcher: Matcher, value: string | undefined): boolean {
  return value === undefined ? matcher.kind === "absent" : valueMatches(matcher, value);
}

/** The end of an exhaustive `switch`. */
export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}
