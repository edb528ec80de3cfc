import { printable } from "../../printable.ts";
import { isMethod, KNOWN_METHODS } from "../paths/known-methods.ts";
import { exactPath, type Patterns, rawPrefix, rawSuffix, templatePath } from "../paths/patterns.ts";
import type { Selection } from "../paths/selection.ts";
import type { ClauseContext } from "./clause-context.ts";
import { textForm, textMatches } from "./identity-text.ts";
import type { Clause, Field } from "./policy.ts";

/** The methods and paths of a clause. */
export function selectionOf({ methods, paths }: Clause, context: ClauseContext): Selection {
  const pick = (fields: readonly Field[], negated: boolean): readonly Field[] =>
    fields.filter((one) => one.negated === negated);
  const [listed] = pick(methods, false);
  const [path] = pick(paths, false);
  return {
    methods: listed === undefined ? undefined : methodsOf(listed, context),
    notMethods: pick(methods, true).flatMap((field) => methodsOf(field, context) ?? KNOWN_METHODS),
    patterns: path === undefined ? ["/**"] : unioned(path),
    notPatterns: pick(paths, true).flatMap(unioned),
  };
}

const unioned = ({ values }: Field): readonly string[] => [...new Set(values.flatMap(pathPatterns))];

/** Istio's path values: text forms, or a template where braces say so. */
export function pathPatterns(value: string): Patterns {
  if (value.includes("{*}") || value.includes("{**}")) return templatePath(value);
  const form = textForm(value);
  switch (form.kind) {
    case "any":
      return ["/**"];
    case "exact":
      return exactPath(form.text);
    case "prefix":
      return rawPrefix(form.text);
    case "suffix":
      return rawSuffix(form.text);
  }
}

/** The methods of a field; absent is any. */
function methodsOf(field: Field, { effect, say }: ClauseContext): readonly string[] | undefined {
  const forms = field.values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return undefined;
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  for (const method of exact.filter((one) => !isMethod(one)))
    say(field)(
      effect === "allow" && !field.negated ? "narrower" : "exact",
      `\`${printable(method, 80)}\` is no method that a request can have`,
      "method",
      undefined,
      method,
    );
  const patterns = forms.filter(({ kind }) => kind !== "exact");
  if (patterns.length > 0 && effect === "deny" && !field.negated) {
    say(field)("narrower", "a deny cannot begin or end a method's name; it holds for every method");
    return undefined;
  }
  if (patterns.length > 0) say(field)("narrower", "a pattern of methods stands for the registered ones only");
  const known = KNOWN_METHODS.filter((method) => patterns.some((form) => textMatches(form, method)));
  return [...new Set([...exact.filter(isMethod), ...known])];
}
