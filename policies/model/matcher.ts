/**
 * One test of the language's single matcher grammar (docs/policy-language.md, "matchers").
 * Header values and matcher texts are compared byte by byte: a string holds one byte a character (latin1) for headers.
 * `contains` is legal for headers only; `has` and `hasAny` for claims only.
 */
export type Matcher =
  | { readonly kind: "equals"; readonly value: string }
  | { readonly kind: "in"; readonly values: readonly string[] }
  | { readonly kind: "not"; readonly value: string }
  | { readonly kind: "notIn"; readonly values: readonly string[] }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "suffix"; readonly value: string }
  | { readonly kind: "contains"; readonly value: string }
  | { readonly kind: "has"; readonly value: string }
  | { readonly kind: "hasAny"; readonly values: readonly string[] }
  | { readonly kind: "present" }
  | { readonly kind: "absent" };
